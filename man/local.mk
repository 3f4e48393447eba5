dist_man_MANS += man/closewaitctl.8
dist_man_MANS += man/closewaitd.8
dist_man_MANS += man/closewaitd-rules.8
dist_man_MANS += man/closewaitd.conf.5
