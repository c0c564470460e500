"""Athena over Parquet tables with partition projection, as the saved queries use them."""

import pathlib
import tempfile
import unittest

import botocore.exceptions
import duckdb

from .support import client, name, until


class ParquetTables(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.bucket, cls.database = name("bucket"), name("db").replace("-", "_")
        client("s3").create_bucket(Bucket=cls.bucket)
        with tempfile.TemporaryDirectory() as folder:
            for key, sql in (
                ("study=s/stage=A/1", "SELECT 0 AS trial, 0.5 AS f1, 'bert' AS \"model.name\", 1 AS other"),
                ("study=s/stage=B/1", "SELECT 1 AS trial, 0.75 AS f1"),  # has no model.name
                ("study=s/stage=D/1", "SELECT 2 AS trial, 1.0 AS f1"),  # no stage of the projection
                ("study=t/stage=A/1", "SELECT 3 AS trial, 0.25 AS f1"),
            ):
                path = pathlib.Path(folder, "file")
                duckdb.sql(f"COPY ({sql}) TO '{path}' (FORMAT parquet)")
                client("s3").put_object(Bucket=cls.bucket, Key=f"trials/{key}.parquet", Body=path.read_bytes())
        location = f"s3://{cls.bucket}/trials/"
        client("glue").create_database(DatabaseInput={"Name": cls.database})
        client("glue").create_table(DatabaseName=cls.database, TableInput={
            "Name": "trials", "TableType": "EXTERNAL_TABLE",
            "PartitionKeys": [{"Name": "study", "Type": "string"}, {"Name": "stage", "Type": "string"}],
            "Parameters": {"classification": "parquet", "projection.enabled": "true",
                           "projection.study.type": "injected", "projection.stage.type": "enum",
                           "projection.stage.values": "A,B,C",
                           "storage.location.template": location + "study=${study}/stage=${stage}/"},
            "StorageDescriptor": {"Location": location, "Columns": [
                {"Name": "trial", "Type": "bigint"}, {"Name": "f1", "Type": "double"},
                {"Name": "model.name", "Type": "string"}, {"Name": "optim.lr", "Type": "double"}]}})

    def query(self, sql):
        athena = client("athena")
        identity = athena.start_query_execution(
            QueryString=sql, QueryExecutionContext={"Database": self.database},
            ResultConfiguration={"OutputLocation": f"s3://{self.bucket}/athena/"})["QueryExecutionId"]

        def state():
            found = athena.get_query_execution(QueryExecutionId=identity)["QueryExecution"]["Status"]
            return found["State"] in ("SUCCEEDED", "FAILED") and found
        status = until(state)
        if status["State"] == "FAILED":
            return status["StateChangeReason"]
        rows = athena.get_query_results(QueryExecutionId=identity)["ResultSet"]["Rows"]
        return [tuple(cell.get("VarCharValue") for cell in row["Data"]) for row in rows[1:]]

    def test_the_catalogues_columns_whatever_the_files_hold(self):
        rows = self.query("""SELECT trial AS trial, "model.name" AS model, "optim.lr" AS lr, stage AS stage
                             FROM trials WHERE study = 's' ORDER BY trial""")
        self.assertEqual(rows, [("0", "bert", None, "A"), ("1", None, None, "B")])
        self.assertIn("other", self.query("SELECT other AS other FROM trials WHERE study = 's'"))

    def test_an_injected_partition_has_to_be_named(self):
        self.assertIn("CONSTRAINT_VIOLATION", self.query("SELECT count(*) AS n FROM trials"))
        self.assertEqual(self.query("WITH x AS (SELECT * FROM trials t WHERE t.study = 't') SELECT count(*) AS n FROM x"),
                         [("1",)])

    def test_what_is_not_there(self):
        self.assertIn("nothing", self.query("SELECT 1 AS one FROM nothing"))
        with self.assertRaises(botocore.exceptions.ClientError):
            client("athena").start_query_execution(QueryString="SELECT 1 AS one", WorkGroup="none")
