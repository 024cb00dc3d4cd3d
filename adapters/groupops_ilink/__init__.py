"""A steward's own WeChat as a private console, over Tencent's official interface for one bot and one person (iLink)."""
