# Units and what belongs to them. One text makes both units, so that their limits stay the same.
# Not by config.status: $(sbindir) is only complete, without $(exec_prefix), in make.
UNITS = systemd/closewaitd.service systemd/closewaitd@.service
EXTRA_DIST += systemd/closewaitd.service.in systemd/closewaitd.sysusers systemd/closewaitd.tmpfiles
CLEANFILES += $(UNITS) systemd/sysusers.d/closewaitd.conf systemd/tmpfiles.d/closewaitd.conf

systemd/closewaitd.service: systemd/closewaitd.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) systemd && $(SED) \
		-e 's|@sbindir[@]|$(sbindir)|g' \
		-e 's|@unit[@]|closewaitd|' \
		-e '/^@about[@]$$/s|.*||' \
		-e 's|@description[@]|Protection of loopback connections from sockets left in CLOSE_WAIT|' \
		-e '/^@netns[@]$$/d' \
		-e 's|@options[@]||' \
		-e 's|@name[@]|closewaitd|g' \
		$(srcdir)/systemd/closewaitd.service.in >$@-t && mv $@-t $@

systemd/closewaitd@.service: systemd/closewaitd.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) systemd && $(SED) \
		-e 's|@sbindir[@]|$(sbindir)|g' \
		-e 's|@unit[@]|closewaitd@NAME|' \
		-e '/^@about[@]$$/r $(srcdir)/systemd/closewaitd@.about' \
		-e '/^@about[@]$$/d' \
		-e 's|@description[@]|Protection of loopback connections in the network namespace %i|' \
		-e 's|^@netns[@]$$|NetworkNamespacePath=/run/netns/%i|' \
		-e 's|@options[@]| -c $(sysconfdir)/closewaitd/%i.conf|' \
		-e 's|@name[@]|closewaitd-%i|g' \
		$(srcdir)/systemd/closewaitd.service.in >$@-t && mv $@-t $@
EXTRA_DIST += systemd/closewaitd@.about

systemd/sysusers.d/closewaitd.conf: systemd/closewaitd.sysusers
	$(AM_V_GEN)$(MKDIR_P) systemd/sysusers.d && cp $(srcdir)/systemd/closewaitd.sysusers $@
systemd/tmpfiles.d/closewaitd.conf: systemd/closewaitd.tmpfiles
	$(AM_V_GEN)$(MKDIR_P) systemd/tmpfiles.d && cp $(srcdir)/systemd/closewaitd.tmpfiles $@

systemdunitdir = @systemdunitdir@
sysusersdir = $(prefix)/lib/sysusers.d
tmpfilesdir = $(prefix)/lib/tmpfiles.d
catalogdir = $(prefix)/lib/systemd/catalog
dist_catalog_DATA = systemd/closewaitd.catalog
nodist_systemdunit_DATA = $(UNITS)
nodist_sysusers_DATA = systemd/sysusers.d/closewaitd.conf
nodist_tmpfiles_DATA = systemd/tmpfiles.d/closewaitd.conf
