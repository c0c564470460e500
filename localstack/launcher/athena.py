"""Athena's view of a Parquet table: the catalogue's columns, whatever the files hold, and the
partitions that its projection allows.

ministack shows the files' own columns and every folder, so that a query could pass here
and fail on AWS, or the other way round.
"""

import re

from ministack.services import athena, glue


def install() -> None:
    relation, rewrite = athena._table_relation, athena._rewrite_data_paths

    def table_relation(table, files):
        if athena._data_format(table) != "parquet":
            return relation(table, files)
        files = [file for file in files if _projected(table, file)]
        if not files:
            return athena._empty_relation(table)
        columns = (table.get("StorageDescriptor") or {}).get("Columns", []) + table.get("PartitionKeys", [])
        shown = ", ".join(f'CAST("{_quoted(c["Name"])}" AS {athena._duckdb_type(c)}) AS "{_quoted(c["Name"])}"'
                          for c in columns)
        # The union by name adds, as NULLs, the columns that no file has.
        return (f"(SELECT {shown} FROM (SELECT * FROM {athena._empty_relation(table)} "
                f"UNION ALL BY NAME SELECT * FROM {relation(table, files)}))")

    async def rewrite_data_paths(query, database, catalog=None):
        for reference in athena._table_references(query):
            table = glue._tables.get(f"{reference.database or database or 'default'}/{reference.table}")
            _check_injected(query, table or {})
        return await rewrite(query, database, catalog)

    athena._table_relation = table_relation
    athena._rewrite_data_paths = rewrite_data_paths


def _projection(table, kind):
    """The parameters of a table's projected partition keys of one kind, by key."""
    parameters = table.get("Parameters") or {}
    if str(parameters.get("projection.enabled", "")).lower() != "true":
        return {}
    return {key["Name"]: parameters for key in table.get("PartitionKeys") or []
            if parameters.get(f"projection.{key['Name']}.type") == kind}


def _projected(table, file) -> bool:
    """Whether the file lies in a partition that an enum projection lists."""
    for name, parameters in _projection(table, "enum").items():
        folder = re.search(rf"/{re.escape(name)}=([^/]*)/", file)
        if folder and folder.group(1) not in parameters.get(f"projection.{name}.values", "").split(","):
            return False
    return True


def _check_injected(query, table) -> None:
    """Athena cannot list the values of an injected key: the query has to say which it wants."""
    for name in _projection(table, "injected"):
        if not re.search(rf"""(?<![\w.])(\w+\.)?"?{re.escape(name)}"?\s*(=\s*'|IN\s*\(\s*')""", query, re.IGNORECASE):
            raise ValueError(f"CONSTRAINT_VIOLATION: For the injected projected partition column {name}, the WHERE "
                             "clause must contain only static equality conditions, and at least one such condition "
                             "must be present.")


def _quoted(name: str) -> str:
    return name.replace('"', '""')
