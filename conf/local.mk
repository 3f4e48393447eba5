nodist_sbin_SCRIPTS = conf/closewaitd-rules
EXTRA_DIST += conf/closewaitd-rules.in
CLEANFILES += conf/closewaitd-rules

# Not by config.status: $(sbindir) is only complete, without $(exec_prefix), in make.
conf/closewaitd-rules: conf/closewaitd-rules.in Makefile
	$(AM_V_GEN)$(MKDIR_P) conf && $(SED) \
		-e 's|@sbindir[@]|$(sbindir)|g' \
		-e 's|@sysconfdir[@]|$(sysconfdir)|g' \
		-e 's|@PACKAGE_VERSION[@]|$(PACKAGE_VERSION)|g' \
		$(srcdir)/conf/closewaitd-rules.in >$@-t && chmod 755 $@-t && mv $@-t $@

# A configuration that is there already is the administrator's: kept by install, and by uninstall
# too unless it is still the one that was installed.
closewaitdconfdir = $(sysconfdir)/closewaitd
EXTRA_DIST += conf/closewaitd.conf

# For whoever has a Prometheus and a Grafana.
dist_pkgdata_DATA = conf/closewaitd-alerts.yml conf/closewaitd-dashboard.json
# bash looks for a file with the name of the program.
completiondir = $(datadir)/bash-completion/completions
EXTRA_DIST += conf/completion.bash conf/closewaitd.spec
install-data-local:
	$(MKDIR_P) "$(DESTDIR)$(closewaitdconfdir)"
	test -e "$(DESTDIR)$(closewaitdconfdir)/closewaitd.conf" || \
		$(INSTALL_DATA) $(srcdir)/conf/closewaitd.conf "$(DESTDIR)$(closewaitdconfdir)"
	$(MKDIR_P) "$(DESTDIR)$(completiondir)"
	$(INSTALL_DATA) $(srcdir)/conf/completion.bash "$(DESTDIR)$(completiondir)/closewaitctl"
	cd "$(DESTDIR)$(completiondir)" && $(LN_S) -f closewaitctl closewaitd && \
		$(LN_S) -f closewaitctl closewaitd-rules
uninstall-local:
	if cmp -s $(srcdir)/conf/closewaitd.conf "$(DESTDIR)$(closewaitdconfdir)/closewaitd.conf"; \
		then rm -f "$(DESTDIR)$(closewaitdconfdir)/closewaitd.conf"; fi
	cd "$(DESTDIR)$(completiondir)" && rm -f closewaitctl closewaitd closewaitd-rules
