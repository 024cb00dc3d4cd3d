"""A company's official account (公众号): members check in by location and bind their accounts, one to one."""
