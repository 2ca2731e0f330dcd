# For packagers: `npm ci`, then `make`, then `make install DESTDIR=... PREFIX=/usr`. See docs/installing.md.
# Developers use npm; what is built here goes to build/ and is not compiled by tsc.
.POSIX:
.SUFFIXES:

PREFIX = /usr/local
DESTDIR =
# What starts the program: the first line of the entry file. An absolute path for a node that is not in PATH.
NODE = /usr/bin/env node

all: build

# Bundling takes half a second: nothing here tries to know whether it is needed.
build:
	node_modules/.bin/rolldown --config rolldown.config.mjs --log-level warn
	node tools/generate.mjs

install: build
	DESTDIR='$(DESTDIR)' PREFIX='$(PREFIX)' NODE='$(NODE)' node tools/install.mjs install

uninstall:
	DESTDIR='$(DESTDIR)' PREFIX='$(PREFIX)' node tools/install.mjs uninstall

clean:
	rm -rf build

.PHONY: all build install uninstall clean
