/* A shared library that is no plug-in. */
/* SPDX-License-Identifier: Apache-2.0 */
int ulpaudit_something_else(void);
int ulpaudit_something_else(void) { return 1; }
