package compute

import (
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsbatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/supermax-hpo/supermax/infra/internal/grant"
	"github.com/supermax-hpo/supermax/infra/internal/storage"
)

// cacheFolder holds corpora and backbones, on the instance and in the container alike.
const cacheFolder = "/var/cache/supermax"

// A slot's share of an instance. The smallest instances have 4 vCPUs and 16 GiB, of which
// ECS leaves about 15.
const (
	slotVCPUs     = "4"
	slotMemoryMiB = "14000"
)

// attemptSeconds ends a slot that hangs. One that works is continued by the next round.
const attemptSeconds = 3 * 24 * 3600

// newJob makes the definition of a slot's job. Study and stage come with each job; on what
// to compute, and with how many threads, the image says.
func newJob(scope constructs.Construct, name string, p Props, image trainerImage, f map[string]awslambda.Function) awsbatch.CfnJobDefinition {
	logs := newLogGroup(scope, "TrainerLogs", p.Storage.Key)
	execution := append(slices.Clone(image.pull), grant.Allow([]string{"logs:CreateLogStream", "logs:PutLogEvents"}, []string{*logs.LogGroupArn()}))
	set := func(name string, value *string) *awsbatch.CfnJobDefinition_EnvironmentProperty {
		return &awsbatch.CfnJobDefinition_EnvironmentProperty{Name: jsii.String(name), Value: value}
	}
	needs := func(kind, amount string) *awsbatch.CfnJobDefinition_ResourceRequirementProperty {
		return &awsbatch.CfnJobDefinition_ResourceRequirementProperty{Type: jsii.String(kind), Value: jsii.String(amount)}
	}
	return awsbatch.NewCfnJobDefinition(scope, jsii.String("Slot"), &awsbatch.CfnJobDefinitionProps{
		JobDefinitionName:    jsii.String(name),
		Type:                 jsii.String("container"),
		PlatformCapabilities: jsii.Strings("EC2"),
		PropagateTags:        jsii.Bool(true),
		Timeout:              &awsbatch.CfnJobDefinition_TimeoutProperty{AttemptDurationSeconds: jsii.Number(attemptSeconds)},
		RetryStrategy: &awsbatch.CfnJobDefinition_RetryStrategyProperty{
			Attempts: jsii.Number(10),
			EvaluateOnExit: &[]any{
				&awsbatch.CfnJobDefinition_EvaluateOnExitProperty{OnStatusReason: jsii.String("Host EC2*"), Action: jsii.String("RETRY")},
				&awsbatch.CfnJobDefinition_EvaluateOnExitProperty{OnReason: jsii.String("CannotPullContainer*"), Action: jsii.String("RETRY")},
				&awsbatch.CfnJobDefinition_EvaluateOnExitProperty{OnReason: jsii.String("*"), Action: jsii.String("EXIT")},
			},
		},
		ContainerProperties: &awsbatch.CfnJobDefinition_ContainerPropertiesProperty{
			Image:                image.uri,
			Command:              jsii.Strings("trainer"),
			ResourceRequirements: &[]any{needs("GPU", "1"), needs("VCPU", slotVCPUs), needs("MEMORY", slotMemoryMiB)},
			JobRoleArn:           newJobRole(scope, p.Storage, f).RoleArn(),
			ExecutionRoleArn:     grant.Role(scope, "ExecutionRole", "ecs-tasks.amazonaws.com", "Supermax: pulls the trainer's image, writes its log", execution...).RoleArn(),
			Environment: &[]any{
				set("SUPERMAX_OBJECTS", jsii.String("s3://"+*p.Storage.Results.BucketName())),
				set("SUPERMAX_ASK_FUNCTION", f["Ask"].FunctionName()),
				set("SUPERMAX_TELL_FUNCTION", f["Tell"].FunctionName()),
				set("SUPERMAX_HEARTBEAT_FUNCTION", f["Heartbeat"].FunctionName()),
				set("SUPERMAX_CACHE", jsii.String(cacheFolder)),
				set("AWS_REGION", awscdk.Stack_Of(scope).Region()), // EC2 does not set it in a container
			},
			// The root file system does not change: what is written goes to the cache, which the
			// slots of an instance share, or to a scratch folder of the container's own.
			ReadonlyRootFilesystem: jsii.Bool(true),
			Privileged:             jsii.Bool(false),
			LinuxParameters:        &awsbatch.CfnJobDefinition_LinuxParametersProperty{InitProcessEnabled: jsii.Bool(true)},
			Volumes: &[]any{
				&awsbatch.CfnJobDefinition_VolumesProperty{Name: jsii.String("cache"),
					Host: &awsbatch.CfnJobDefinition_VolumesHostProperty{SourcePath: jsii.String(cacheFolder)}},
				&awsbatch.CfnJobDefinition_VolumesProperty{Name: jsii.String("scratch")},
			},
			MountPoints: &[]any{
				&awsbatch.CfnJobDefinition_MountPointsProperty{SourceVolume: jsii.String("cache"), ContainerPath: jsii.String(cacheFolder)},
				&awsbatch.CfnJobDefinition_MountPointsProperty{SourceVolume: jsii.String("scratch"), ContainerPath: jsii.String("/tmp")},
			},
			LogConfiguration: &awsbatch.CfnJobDefinition_LogConfigurationProperty{
				LogDriver: jsii.String("awslogs"),
				Options: map[string]*string{
					"awslogs-group": logs.LogGroupName(), "awslogs-stream-prefix": jsii.String("slot"),
					"awslogs-region": awscdk.Stack_Of(scope).Region(),
				},
			},
		},
	})
}

// newJobRole is all that a trainer may do: read studies, corpora and backbones, keep its
// checkpoints and metrics, and call the three functions that a slot needs.
func newJobRole(scope constructs.Construct, s storage.Storage, f map[string]awslambda.Function) awsiam.Role {
	data, results := *s.Data.BucketArn(), *s.Results.BucketArn()
	return grant.Role(scope, "TrainerRole", "ecs-tasks.amazonaws.com", "Supermax: a trainer",
		grant.Read(data, "corpora/", "backbones/"), grant.List(data, "corpora/", "backbones/"),
		grant.Read(results, "studies/", "checkpoints/", "metrics/"),
		grant.List(results, "studies/", "checkpoints/", "metrics/"),
		grant.Write(results, "checkpoints/", "metrics/"),
		grant.Delete(results, "checkpoints/", "metrics/"),
		grant.BucketKey(scope, *s.Key.KeyArn()),
		grant.Allow([]string{"lambda:InvokeFunction"}, []string{
			*f["Ask"].FunctionArn(), *f["Tell"].FunctionArn(), *f["Heartbeat"].FunctionArn(),
		}),
	)
}
