# The installed package under a systemd that is process 1 (service.sh), in a container on this kernel
# or in a virtual machine with another one (guest.sh), which takes its time.

EXTRA_DIST += tests/kernel/boot.sh tests/kernel/collisions.sh tests/kernel/container.sh \
	tests/kernel/guest.sh tests/kernel/kernel.sh tests/kernel/matrix.sh tests/kernel/package.sh \
	tests/kernel/service.sh tests/kernel/suites.sh tests/kernel/table.sh

SERVICE_TOOLS = tests/bench/load tests/tools/minefield tests/tools/stop-thread tests/tools/syn-probe

.PHONY: check-service service-programs
service-programs: $(SERVICE_TOOLS)
check-service: $(SERVICE_TOOLS)
	$(srcdir)/tests/kernel/package.sh $(srcdir) package
	$(srcdir)/tests/kernel/container.sh $(srcdir)/tests/kernel/service.sh . package/closewaitd_*.deb

# The suites on other kernels: make check-kernels KERNELS=6.1 SUITES="platform quick"
KERNELS = 5.10 6.1 6.12
SUITES = platform netns
.PHONY: check-kernels
check-kernels: $(PLATFORM_TESTS) netns-programs
	$(srcdir)/tests/kernel/matrix.sh . "$(KERNELS)" "$(SUITES)"

# What each kernel does, into the documentation of the source tree.
.PHONY: kernel-table
kernel-table: $(SERVICE_TOOLS) closewaitd conf/closewaitd-rules
	$(srcdir)/tests/kernel/table.sh . $(srcdir)
clean-local:
	rm -rf package kernels
