# language: zh-CN
功能: 通用 尚待其他插件的场景

  @needs-confidentiality
  场景: COM-21 (S04.R1, S04.R8)外部合作方跨群引用内部资料,按分级拒绝并审计
    假如 群规「s10」
    而且 设置「plugins.enabled」为「["confidentiality"]」
    而且 合作方 的岗位是「partner」
    当 合作方 私信机器人「资料 内部手册」
    那么 指令的答复里有「无权」
    而且 审计记有「资料拒绝」

  @needs-reports
  场景: COM-22 (S11.R3, S11.R5)月度汇总只给管理员,无排名
    假如 群规「s10」
    而且 设置「plugins.enabled」为「["reports"]」
    而且 现在是 2025-03-31 17:00
    当 到了 18:00
    那么 管理员收到待办,其中有「汇总」
    而且 机器人在群里没有说话
    而且 员工甲 没有收到私信
