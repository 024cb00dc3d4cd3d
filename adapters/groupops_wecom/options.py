"""What an operator sets besides the credentials: the archive, where private words belong, and what is not verified."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Options(BaseModel):
    """Keys of `.env` or of the environment that concern groupops and no other NoneBot bot."""

    model_config = ConfigDict(frozen=True)

    wecom_archive: str = Field(
        default="", title="会话内容存档解密后的 JSONL:一个文件,或一个不断有新文件的目录;空为不用"
    )
    wecom_archive_position: str = Field(
        default="", title="记着存档读到哪里的文件;空为存档路径后面加 .position"
    )
    wecom_archive_seconds: float = Field(default=20.0, ge=1, le=600, title="每隔多少秒看一次存档有没有新消息")
    wecom_archive_all: bool = Field(
        default=False, title="存档里没有绑定的群是否也读;false 只读绑定过或关联过的群"
    )
    wecom_archive_amounts: bool = Field(
        default=False, title="存档里红包的 totalamount 是否当作以分计的总金额(未证实);false 记为金额不明"
    )
    wecom_appchats: tuple[str, ...] = Field(
        default=(), title="应用创建的群的 chatid;企业微信没有列出它们的接口"
    )
    wecom_location_reports: bool = Field(
        default=True, title="成员进入应用时上报的位置(LOCATION 事件)是否算本人报送的位置"
    )
    wecom_home: str = Field(
        default="", title="私信里的话算在哪个群(群的编号);空为本人最近说过话、或名单里有本人的群"
    )
    wecom_contacts_minutes: int = Field(
        default=360, ge=5, le=10_080, title="每隔多少分钟重新读一次应用可见范围内的成员"
    )
    wecom_card_seconds: float = Field(
        default=2.0, ge=0.1, le=4.5, title="按钮按下后,最多等多少秒再把卡片改成结果(企业微信只等 5 秒)"
    )
