#!/bin/sh
exec python3 configure.py "$1"
