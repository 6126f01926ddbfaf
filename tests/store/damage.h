/*
 * damage.h - spoils rows of an SQLite store behind the server's back, while it is stopped.
 */
#pragma once

/* Runs SQL on the file (of the default layer); the test fails if it fails. Returns the number of
 * rows that were changed. */
int damage(const char *file, const char *sql);
