// Package analytics answers questions about the studies' files with SQL: a catalogue of two
// tables over the results bucket, and a workgroup that bounds what a query may cost.
package analytics

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsathena"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsglue"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/supermax-hpo/supermax/infra/internal/nested"
	"github.com/supermax-hpo/supermax/infra/internal/settings"
	"github.com/supermax-hpo/supermax/infra/internal/storage"
	"github.com/supermax-hpo/supermax/shared/queries"
)

// scanLimit ends a query that reads more, in bytes: 10 GB cost 5 cents. A thousand trials
// of 20 epochs are about 30 MB.
const scanLimit = 10_000_000_000

// example is the study that the saved queries name; whoever opens one puts in their own.
const example = "quickstart"

// Analytics is the nested stack.
type Analytics struct {
	Database  string
	Workgroup awsathena.CfnWorkGroup
}

// New makes the stack.
func New(scope constructs.Construct, s settings.Settings, kept storage.Storage) (Analytics, error) {
	stack := nested.New(scope, "Analytics", "Supermax: tables and queries over the results")
	a := Analytics{Database: databaseName(s.Name), Workgroup: newWorkgroup(stack, s, kept)}
	database := awsglue.NewCfnDatabase(stack, jsii.String("Database"), &awsglue.CfnDatabaseProps{
		CatalogId: stack.Account(),
		DatabaseInput: &awsglue.CfnDatabase_DatabaseInputProperty{
			Name: jsii.String(a.Database), Description: jsii.String("Supermax: what the studies measured"),
		},
	})
	if err := newTables(stack, database, a.Database, *kept.Results.BucketName()); err != nil {
		return Analytics{}, err
	}
	for _, name := range queries.Names() {
		text, err := queries.SQL(name, example)
		if err != nil {
			return Analytics{}, err
		}
		what, err := queries.Description(name)
		if err != nil {
			return Analytics{}, err
		}
		query := awsathena.NewCfnNamedQuery(stack, jsii.String("Query-"+name), &awsathena.CfnNamedQueryProps{
			Name: jsii.String(name), Description: jsii.String(what), QueryString: jsii.String(text),
			Database: jsii.String(a.Database), WorkGroup: a.Workgroup.Name(),
		})
		query.AddDependency(a.Workgroup)
		query.AddDependency(database)
	}
	return a, nil
}

func newWorkgroup(scope constructs.Construct, s settings.Settings, kept storage.Storage) awsathena.CfnWorkGroup {
	return awsathena.NewCfnWorkGroup(scope, jsii.String("Workgroup"), &awsathena.CfnWorkGroupProps{
		Name:                  jsii.String(s.Name),
		Description:           jsii.String("Supermax: questions about the studies"),
		State:                 jsii.String("ENABLED"),
		RecursiveDeleteOption: jsii.Bool(true), // the history of queries goes with the stack
		WorkGroupConfiguration: &awsathena.CfnWorkGroup_WorkGroupConfigurationProperty{
			EnforceWorkGroupConfiguration:   jsii.Bool(true),
			PublishCloudWatchMetricsEnabled: jsii.Bool(false),
			RequesterPaysEnabled:            jsii.Bool(false),
			BytesScannedCutoffPerQuery:      jsii.Number(scanLimit),
			EngineVersion:                   &awsathena.CfnWorkGroup_EngineVersionProperty{SelectedEngineVersion: jsii.String("Athena engine version 3")},
			ResultConfiguration: &awsathena.CfnWorkGroup_ResultConfigurationProperty{
				OutputLocation:      jsii.String("s3://" + *kept.Results.BucketName() + "/athena/"),
				ExpectedBucketOwner: awscdk.Stack_Of(scope).Account(),
				EncryptionConfiguration: &awsathena.CfnWorkGroup_EncryptionConfigurationProperty{
					EncryptionOption: jsii.String("SSE_KMS"), KmsKey: kept.Key.KeyArn(),
				},
			},
		},
	})
}
