package storage

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// newBucket makes a bucket that only its own account reaches, over TLS alone. Bucket keys
// spare a call of KMS for each object.
func newBucket(scope constructs.Construct, id string, key awskms.IKey, removal awscdk.RemovalPolicy, rules []*awss3.LifecycleRule) awss3.Bucket {
	return awss3.NewBucket(scope, jsii.String(id), &awss3.BucketProps{
		Encryption:        awss3.BucketEncryption_KMS,
		EncryptionKey:     key,
		BucketKeyEnabled:  jsii.Bool(true),
		EnforceSSL:        jsii.Bool(true),
		MinimumTLSVersion: jsii.Number(1.2),
		BlockPublicAccess: awss3.BlockPublicAccess_BLOCK_ALL(),
		ObjectOwnership:   awss3.ObjectOwnership_BUCKET_OWNER_ENFORCED,
		Versioned:         jsii.Bool(true),
		LifecycleRules:    &rules,
		RemovalPolicy:     removal,
	})
}

// noncurrent ends what no list shows: replaced and deleted versions after a month, the
// parts of uploads that were never completed after two days.
func noncurrent() *awss3.LifecycleRule {
	return &awss3.LifecycleRule{
		Id:                                  jsii.String("Leftovers"),
		NoncurrentVersionExpiration:         awscdk.Duration_Days(jsii.Number(30)),
		AbortIncompleteMultipartUploadAfter: awscdk.Duration_Days(jsii.Number(2)),
		ExpiredObjectDeleteMarker:           jsii.Bool(true),
	}
}

func expire(id, prefix string, days float64) *awss3.LifecycleRule {
	return &awss3.LifecycleRule{
		Id: jsii.String(id), Prefix: jsii.String(prefix), Expiration: awscdk.Duration_Days(jsii.Number(days)),
	}
}
