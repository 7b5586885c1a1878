/* A shared library that is no plug-in. */
int ulpaudit_something_else(void);
int ulpaudit_something_else(void) { return 1; }
