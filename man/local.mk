dist_man_MANS += man/closewaitd-rules.8
