package analytics

import (
	"fmt"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsglue"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/supermax-hpo/supermax/configs"
	"github.com/supermax-hpo/supermax/shared/results"
	"github.com/supermax-hpo/supermax/shared/space"
)

// databaseName turns the stack's name into what Athena takes without quotes.
func databaseName(stack string) string {
	return strings.ReplaceAll(strings.ToLower(stack), "-", "_")
}

// newTables makes the catalogue's tables. Their columns are those that package results
// writes, for every parameter of the whole search space.
func newTables(scope constructs.Construct, database awsglue.CfnDatabase, name, bucket string) error {
	whole, err := space.Parse("configs/space.yaml", configs.Space)
	if err != nil {
		return err
	}
	metrics, err := results.MetricsColumns(whole)
	if err != nil {
		return fmt.Errorf("columns of the metrics: %w", err)
	}
	trials, err := results.TrialsColumns(whole)
	if err != nil {
		return fmt.Errorf("columns of the trials: %w", err)
	}
	newTable(scope, database, name, bucket, "metrics", "one row an epoch and seed", metrics)
	newTable(scope, database, name, bucket, "trials", "one row a trial, written when its stage is done", trials)
	return nil
}

// newTable makes a table over table/study=…/stage=…/ in the bucket. Partition projection
// has Athena compute the folders from the query, so that nothing has to register them: the
// query names its study, and stages are three.
func newTable(scope constructs.Construct, database awsglue.CfnDatabase, databaseName, bucket, table, what string, columns []results.Column) {
	location := "s3://" + bucket + "/" + table + "/"
	column := func(name, kind string) *awsglue.CfnTable_ColumnProperty {
		return &awsglue.CfnTable_ColumnProperty{Name: jsii.String(name), Type: jsii.String(kind)}
	}
	var list []any
	for _, c := range columns {
		list = append(list, column(c.Name, c.Type))
	}
	made := awsglue.NewCfnTable(scope, jsii.String("Table-"+table), &awsglue.CfnTableProps{
		CatalogId:    awscdk.Stack_Of(scope).Account(),
		DatabaseName: jsii.String(databaseName),
		TableInput: &awsglue.CfnTable_TableInputProperty{
			Name:          jsii.String(table),
			Description:   jsii.String("Supermax: " + what),
			TableType:     jsii.String("EXTERNAL_TABLE"),
			PartitionKeys: &[]any{column("study", "string"), column("stage", "string")},
			Parameters: map[string]string{
				"EXTERNAL":                  "TRUE",
				"classification":            "parquet",
				"projection.enabled":        "true",
				"projection.study.type":     "injected",
				"projection.stage.type":     "enum",
				"projection.stage.values":   "A,B,C",
				"storage.location.template": location + "study=${study}/stage=${stage}/",
			},
			StorageDescriptor: &awsglue.CfnTable_StorageDescriptorProperty{
				Columns:      &list,
				Location:     jsii.String(location),
				InputFormat:  jsii.String("org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat"),
				OutputFormat: jsii.String("org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat"),
				SerdeInfo: &awsglue.CfnTable_SerdeInfoProperty{
					SerializationLibrary: jsii.String("org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"),
				},
			},
		},
	})
	made.AddDependency(database)
}
