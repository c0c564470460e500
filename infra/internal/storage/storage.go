// Package storage is what a deployment keeps: the studies' table, the data and results
// buckets, and the key that encrypts all of it.
package storage

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/supermax-hpo/supermax/infra/internal/nested"
	"github.com/supermax-hpo/supermax/infra/internal/settings"
)

// Storage is the nested stack.
type Storage struct {
	Key     awskms.Key
	Table   awsdynamodb.Table
	Data    awss3.Bucket // corpora, backbones, study definitions
	Results awss3.Bucket // study files, metrics, trials, exports, checkpoints, query results
}

// New makes the stack.
func New(scope constructs.Construct, s settings.Settings) Storage {
	stack := nested.New(scope, "Storage", "Supermax: the studies' table, the buckets and their key")
	removal := awscdk.RemovalPolicy_RETAIN
	if !s.Retain {
		removal = awscdk.RemovalPolicy_DESTROY
	}
	key := newKey(stack, removal)
	return Storage{
		Key:   key,
		Table: newTable(stack, key, removal),
		Data: newBucket(stack, "Data", key, removal, []*awss3.LifecycleRule{
			noncurrent(),
		}),
		Results: newBucket(stack, "Results", key, removal, []*awss3.LifecycleRule{
			noncurrent(),
			expire("CheckpointsOfStageA", "checkpoints/stage=A/", 90),
			expire("CheckpointsOfStageB", "checkpoints/stage=B/", 90),
			expire("QueryResults", "athena/", 30),
		}),
	}
}

// newTable has the schema of package store/dynamo: an item is found by its study and its
// place in the study's log, and expires when it says so.
func newTable(scope constructs.Construct, key awskms.IKey, removal awscdk.RemovalPolicy) awsdynamodb.Table {
	return awsdynamodb.NewTable(scope, jsii.String("Studies"), &awsdynamodb.TableProps{
		PartitionKey:        &awsdynamodb.Attribute{Name: jsii.String("pk"), Type: awsdynamodb.AttributeType_STRING},
		SortKey:             &awsdynamodb.Attribute{Name: jsii.String("sk"), Type: awsdynamodb.AttributeType_STRING},
		TimeToLiveAttribute: jsii.String("expires"),
		BillingMode:         awsdynamodb.BillingMode_PAY_PER_REQUEST,
		PointInTimeRecoverySpecification: &awsdynamodb.PointInTimeRecoverySpecification{
			PointInTimeRecoveryEnabled: jsii.Bool(true),
		},
		Encryption:    awsdynamodb.TableEncryption_CUSTOMER_MANAGED,
		EncryptionKey: key,
		RemovalPolicy: removal,
	})
}
