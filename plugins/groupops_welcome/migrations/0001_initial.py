from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise import fields
from tortoise.indexes import Index


class Migration(migrations.Migration):
    initial = True

    operations = [
        ops.CreateModel(
            name="Newcomer",
            fields=[
                ("id", fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("group_id", fields.CharField(max_length=255)),
                ("account", fields.CharField(max_length=255)),
                ("nickname", fields.TextField(unique=False)),
                ("inferred", fields.BooleanField(default=False)),
                ("met", fields.CharField(max_length=16)),
                ("joined_by", fields.TextField(unique=False)),
                ("joined_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("left_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("state", fields.CharField(max_length=16)),
                ("greeted_by", fields.TextField(default="", unique=False)),
                ("greeted_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("wait_until", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("intro", fields.TextField(default="", unique=False)),
                ("items", fields.TextField(default="[]", unique=False)),
                ("follow_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("followed_by", fields.TextField(default="", unique=False)),
                ("followed", fields.IntField(default=0)),
            ],
            options={
                "table": "welcome_newcomers",
                "app": "welcome",
                "indexes": [Index(fields=["group_id", "account"]), Index(fields=["group_id", "state"])],
                "pk_attr": "id",
                "table_description": "One stay of an account in a group, from coming in until its checklist has come to an end.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Rotation",
            fields=[
                ("id", fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("group_id", fields.CharField(unique=True, max_length=255)),
                ("shown", fields.TextField(default="[]", unique=False)),
                ("said_by", fields.TextField(default="", unique=False)),
                ("said", fields.TextField(default="[]", unique=False)),
            ],
            options={
                "table": "welcome_rotations",
                "app": "welcome",
                "pk_attr": "id",
                "table_description": "How far the reminders of rules have got in one group, so that each is said once before any is said again.",
            },
            bases=["Model"],
        ),
    ]
