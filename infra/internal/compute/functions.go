package compute

import (
	"path/filepath"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/supermax-hpo/supermax/infra/internal/grant"
	"github.com/supermax-hpo/supermax/infra/internal/storage"
)

// A function says what one Lambda needs. Memory also buys processor time: 1769 MB is one
// whole processor.
type function struct {
	name     string // as in the outputs, without "Function"
	folder   string // under build/lambda/<arch>
	what     string
	memoryMB float64
	timeout  float64 // seconds
	may      func(storage.Storage) []awsiam.PolicyStatement
}

// functions are the Lambdas. Each reads and writes the table; may is what else it needs.
func functions() []function {
	return []function{
		{"Create", "create", "makes an execution's studies, or takes them up again", 1769, 120, create},
		{"Plan", "plan", "opens a stage", 1024, 60, nothing},
		{"Ask", "ask", "gives a slot its next work", 1769, 30, nothing},
		{"Tell", "tell", "takes an attempt's outcome", 1769, 30, nothing},
		{"Heartbeat", "heartbeat", "renews a lease", 1024, 30, nothing},
		{"Check", "check", "says how far a stage is", 1024, 60, nothing},
		{"Aggregate", "aggregate", "brings metrics and reports in line, writes a stage's exports", 1769, 900, aggregate},
		{"Promote", "promote", "closes a stage and removes its checkpoints", 1024, 900, promote},
		{"Finish", "finish", "chooses the configuration and exports it", 1024, 120, finish},
		{"Stop", "stop", "stops a study; what runs may end", 1024, 60, nothing},
		{"OnJobEvent", "on-job-event", "gives back what a slot held whose job has ended", 1024, 60, nothing},
	}
}

func nothing(storage.Storage) []awsiam.PolicyStatement { return nil }

// create uploads the bundled sample where it is missing, and keeps the studies' files.
func create(s storage.Storage) []awsiam.PolicyStatement {
	data, results := *s.Data.BucketArn(), *s.Results.BucketArn()
	sample := []string{"definitions/", "corpora/", "backbones/"}
	return []awsiam.PolicyStatement{
		grant.Look(data), grant.Read(data, sample...), grant.Write(data, sample...),
		grant.Look(results), grant.Read(results, "studies/"), grant.Write(results, "studies/"),
	}
}

// aggregate also ends uploads that were left behind.
func aggregate(s storage.Storage) []awsiam.PolicyStatement {
	results := *s.Results.BucketArn()
	return []awsiam.PolicyStatement{
		grant.Look(results),
		grant.Allow([]string{"s3:ListBucketMultipartUploads"}, []string{results}),
		grant.Allow([]string{"s3:AbortMultipartUpload"}, []string{results + "/*"}),
		grant.Read(results, "studies/", "metrics/"),
		grant.Write(results, "trials/", "exports/"),
		grant.Delete(results, "metrics/"),
	}
}

func promote(s storage.Storage) []awsiam.PolicyStatement {
	results := *s.Results.BucketArn()
	return []awsiam.PolicyStatement{grant.List(results, "checkpoints/"), grant.Delete(results, "checkpoints/")}
}

func finish(s storage.Storage) []awsiam.PolicyStatement {
	results := *s.Results.BucketArn()
	return []awsiam.PolicyStatement{grant.List(results, "checkpoints/"), grant.Write(results, "exports/")}
}

// newFunction makes a Lambda with its log group and its own role.
func newFunction(scope constructs.Construct, f function, p Props) awslambda.Function {
	logs := newLogGroup(scope, f.name+"Logs", p.Storage.Key)
	statements := []awsiam.PolicyStatement{
		grant.Allow([]string{"logs:CreateLogStream", "logs:PutLogEvents"}, []string{*logs.LogGroupArn()}),
		grant.Allow([]string{
			"dynamodb:BatchWriteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem",
		}, []string{*p.Storage.Table.TableArn()}),
		grant.TableKey(scope, *p.Storage.Key.KeyArn()),
	}
	if more := f.may(p.Storage); len(more) > 0 {
		statements = append(append(statements, more...), grant.BucketKey(scope, *p.Storage.Key.KeyArn()))
	}
	return awslambda.NewFunction(scope, jsii.String(f.name), &awslambda.FunctionProps{
		FunctionName: jsii.String(p.Settings.Name + "-" + f.folder),
		Description:  jsii.String("Supermax: " + f.what),
		Runtime:      awslambda.Runtime_PROVIDED_AL2023(),
		Architecture: architecture(p.Settings.Arch),
		Handler:      jsii.String("bootstrap"),
		Code:         awslambda.Code_FromAsset(jsii.String(filepath.Join(p.Lambdas, f.folder)), nil),
		MemorySize:   jsii.Number(f.memoryMB),
		Timeout:      awscdk.Duration_Seconds(jsii.Number(f.timeout)),
		Role:         grant.Role(scope, f.name+"Role", "lambda.amazonaws.com", "Supermax "+f.folder, statements...),
		LogGroup:     logs,
		Environment: &map[string]*string{
			"SUPERMAX_TABLE":   p.Storage.Table.TableName(),
			"SUPERMAX_DATA":    jsii.String("s3://" + *p.Storage.Data.BucketName()),
			"SUPERMAX_RESULTS": jsii.String("s3://" + *p.Storage.Results.BucketName()),
		},
	})
}

func architecture(arch string) awslambda.Architecture {
	if arch == "amd64" {
		return awslambda.Architecture_X86_64()
	}
	return awslambda.Architecture_ARM_64()
}

// newLogGroup makes a log group that the stack takes with it when it goes. Logs hold no
// post text, but the names of studies and backbones.
func newLogGroup(scope constructs.Construct, id string, key awskms.IKey) awslogs.LogGroup {
	return awslogs.NewLogGroup(scope, jsii.String(id), &awslogs.LogGroupProps{
		EncryptionKey: key,
		Retention:     awslogs.RetentionDays_THREE_MONTHS,
		RemovalPolicy: awscdk.RemovalPolicy_DESTROY,
	})
}
