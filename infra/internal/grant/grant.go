// Package grant makes the statements of our roles. Each names its actions one by one, and
// resources that are ours: CDK's own grant methods give whole families of actions.
package grant

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// Role makes a role that an AWS service takes on, with statements of its own and no
// managed policy.
func Role(scope constructs.Construct, id, service, description string, statements ...awsiam.PolicyStatement) awsiam.Role {
	role := awsiam.NewRole(scope, jsii.String(id), &awsiam.RoleProps{
		AssumedBy:   awsiam.NewServicePrincipal(jsii.String(service), nil),
		Description: jsii.String(description),
	})
	for _, s := range statements {
		role.AddToPolicy(s)
	}
	return role
}

// Allow permits actions on resources.
func Allow(actions, resources []string) awsiam.PolicyStatement {
	return AllowIf(actions, resources, nil)
}

// AllowIf permits actions on resources under conditions.
func AllowIf(actions, resources []string, conditions map[string]any) awsiam.PolicyStatement {
	props := &awsiam.PolicyStatementProps{
		Actions: jsii.Strings(actions...), Resources: jsii.Strings(resources...),
	}
	if conditions != nil {
		props.Conditions = &conditions
	}
	return awsiam.NewPolicyStatement(props)
}

// Read permits reading a bucket's objects below prefixes, which end in "/".
func Read(bucketArn string, prefixes ...string) awsiam.PolicyStatement {
	return Allow([]string{"s3:GetObject"}, below(bucketArn, prefixes))
}

// Write permits writing them. An upload in parts that fails is given up.
func Write(bucketArn string, prefixes ...string) awsiam.PolicyStatement {
	return Allow([]string{"s3:PutObject", "s3:AbortMultipartUpload"}, below(bucketArn, prefixes))
}

// Delete permits deleting them; their former versions stay for as long as the bucket's
// rules say.
func Delete(bucketArn string, prefixes ...string) awsiam.PolicyStatement {
	return Allow([]string{"s3:DeleteObject"}, below(bucketArn, prefixes))
}

// List permits listing what lies below prefixes, and nothing else of the bucket.
func List(bucketArn string, prefixes ...string) awsiam.PolicyStatement {
	patterns := make([]string, len(prefixes))
	for i, p := range prefixes {
		patterns[i] = p + "*"
	}
	return AllowIf([]string{"s3:ListBucket"}, []string{bucketArn},
		map[string]any{"StringLike": map[string]any{"s3:prefix": patterns}})
}

// Look permits listing a whole bucket. Who reads objects that may be missing needs it:
// without it S3 answers that they are forbidden.
func Look(bucketArn string) awsiam.PolicyStatement {
	return Allow([]string{"s3:ListBucket"}, []string{bucketArn})
}

// BucketKey permits using a key for the objects of buckets.
func BucketKey(scope constructs.Construct, keyArn string) awsiam.PolicyStatement {
	return through(scope, "s3", keyArn, "kms:Decrypt", "kms:GenerateDataKey")
}

// TableKey permits using a key for the items of tables. The actions are those that the
// DynamoDB developer guide lists for a key of the customer's.
func TableKey(scope constructs.Construct, keyArn string) awsiam.PolicyStatement {
	return through(scope, "dynamodb", keyArn,
		"kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom", "kms:ReEncryptTo")
}

// through permits using a key by way of one AWS service, and not by itself.
func through(scope constructs.Construct, service, keyArn string, actions ...string) awsiam.PolicyStatement {
	stack := awscdk.Stack_Of(scope)
	return AllowIf(actions, []string{keyArn}, map[string]any{
		"StringEquals": map[string]any{"kms:ViaService": service + "." + *stack.Region() + "." + *stack.UrlSuffix()},
	})
}

func below(bucketArn string, prefixes []string) []string {
	resources := make([]string, len(prefixes))
	for i, p := range prefixes {
		resources[i] = bucketArn + "/" + p + "*"
	}
	return resources
}
