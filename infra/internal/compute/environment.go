package compute

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsbatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/supermax-hpo/supermax/infra/internal/grant"
	"github.com/supermax-hpo/supermax/infra/internal/settings"
)

// diskGB is each instance's disk: the image takes 5 GB once unpacked, the eight backbones of
// the search space 4 GB, the system and corpora the rest.
const diskGB = 64

// newQueue makes the queue and the environments that feed it: Spot first, on demand where
// Spot has nothing. Both are empty, and free, until a job comes.
func newQueue(scope constructs.Construct, s settings.Settings) awsbatch.CfnJobQueue {
	n := newNetwork(scope, s)
	template := newLaunchTemplate(scope, s)
	profile := awsiam.NewCfnInstanceProfile(scope, jsii.String("InstanceProfile"), &awsiam.CfnInstanceProfileProps{
		Roles: &[]any{newInstanceRole(scope).RoleName()},
	})
	environment := func(id, kind, strategy string) *awsbatch.CfnJobQueue_ComputeEnvironmentOrderProperty {
		e := awsbatch.NewCfnComputeEnvironment(scope, jsii.String(id), &awsbatch.CfnComputeEnvironmentProps{
			Type:  jsii.String("MANAGED"),
			State: jsii.String("ENABLED"),
			// Batch changes the environment in place, which its own linked role can do; jobs may end first.
			ReplaceComputeEnvironment: jsii.Bool(false),
			UpdatePolicy: &awsbatch.CfnComputeEnvironment_UpdatePolicyProperty{
				TerminateJobsOnUpdate: jsii.Bool(false), JobExecutionTimeoutMinutes: jsii.Number(360),
			},
			ComputeResources: &awsbatch.CfnComputeEnvironment_ComputeResourcesProperty{
				Type:               jsii.String(kind),
				AllocationStrategy: jsii.String(strategy),
				MinvCpus:           jsii.Number(0),
				MaxvCpus:           jsii.Number(float64(s.MaxVCPUs)),
				InstanceTypes:      jsii.Strings(s.Instances...),
				InstanceRole:       profile.AttrArn(),
				Subnets:            &n.subnets,
				SecurityGroupIds:   &[]*string{n.securityGroup},
				Ec2Configuration: &[]any{&awsbatch.CfnComputeEnvironment_Ec2ConfigurationObjectProperty{
					ImageType: jsii.String("ECS_AL2023_NVIDIA"),
				}},
				LaunchTemplate: &awsbatch.CfnComputeEnvironment_LaunchTemplateSpecificationProperty{
					LaunchTemplateId: template.Ref(), Version: template.AttrLatestVersionNumber(),
				},
				UpdateToLatestImageVersion: jsii.Bool(true),
				Tags:                       &map[string]*string{"Name": jsii.String(s.Name + " slot")},
			},
		})
		return &awsbatch.CfnJobQueue_ComputeEnvironmentOrderProperty{ComputeEnvironment: e.Ref()}
	}
	spot := environment("Spot", "SPOT", "SPOT_PRICE_CAPACITY_OPTIMIZED")
	demand := environment("OnDemand", "EC2", "BEST_FIT_PROGRESSIVE")
	spot.Order, demand.Order = jsii.Number(1), jsii.Number(2)
	return awsbatch.NewCfnJobQueue(scope, jsii.String("Queue"), &awsbatch.CfnJobQueueProps{
		JobQueueName:            jsii.String(s.Name),
		Priority:                jsii.Number(1),
		State:                   jsii.String("ENABLED"),
		ComputeEnvironmentOrder: &[]any{spot, demand},
		JobStateTimeLimitActions: &[]any{
			cancelAfter(3600, "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY"),
			cancelAfter(600, "MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE"),
			cancelAfter(600, "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT"),
		},
	})
}

// cancelAfter gives up a job that is stuck at the head of the queue. The state machine
// looks how far the study is, waits, and starts slots again.
func cancelAfter(seconds float64, reason string) *awsbatch.CfnJobQueue_JobStateTimeLimitActionProperty {
	return &awsbatch.CfnJobQueue_JobStateTimeLimitActionProperty{
		State: jsii.String("RUNNABLE"), Action: jsii.String("CANCEL"),
		MaxTimeSeconds: jsii.Number(seconds), Reason: jsii.String(reason),
	}
}

// newLaunchTemplate makes what Batch lacks: metadata only with a session token, and a disk
// of our size, encrypted, that goes with its instance. The hop more lets a container ask
// for the Spot notice.
func newLaunchTemplate(scope constructs.Construct, s settings.Settings) awsec2.CfnLaunchTemplate {
	userData := "MIME-Version: 1.0\n" +
		"Content-Type: multipart/mixed; boundary=\"==supermax==\"\n\n" +
		"--==supermax==\n" +
		"Content-Type: text/x-shellscript; charset=\"us-ascii\"\n\n" +
		"#!/bin/sh\n" +
		"install -d -o 1000 -g 1000 -m 0700 " + cacheFolder + "\n" + // the image's user
		"--==supermax==--\n"
	return awsec2.NewCfnLaunchTemplate(scope, jsii.String("Instances"), &awsec2.CfnLaunchTemplateProps{
		LaunchTemplateData: &awsec2.CfnLaunchTemplate_LaunchTemplateDataProperty{
			MetadataOptions: &awsec2.CfnLaunchTemplate_MetadataOptionsProperty{
				HttpTokens: jsii.String("required"), HttpPutResponseHopLimit: jsii.Number(2), HttpEndpoint: jsii.String("enabled"),
			},
			BlockDeviceMappings: &[]any{&awsec2.CfnLaunchTemplate_BlockDeviceMappingProperty{
				DeviceName: jsii.String("/dev/xvda"),
				Ebs: &awsec2.CfnLaunchTemplate_EbsProperty{
					VolumeType: jsii.String("gp3"), VolumeSize: jsii.Number(diskGB),
					Encrypted: jsii.Bool(true), DeleteOnTermination: jsii.Bool(true),
				},
			}},
			UserData: awscdk.Fn_Base64(jsii.String(userData)),
			TagSpecifications: &[]any{&awsec2.CfnLaunchTemplate_TagSpecificationProperty{
				ResourceType: jsii.String("volume"), Tags: name(s.Name + " slot"),
			}},
		},
	})
}

// newInstanceRole lets an instance join the cluster that Batch makes, and nothing else:
// images and logs are the execution role's, data the job role's.
func newInstanceRole(scope constructs.Construct) awsiam.Role {
	stack := awscdk.Stack_Of(scope)
	ours := func(kind string) string {
		return "arn:" + *stack.Partition() + ":ecs:" + *stack.Region() + ":" + *stack.Account() + ":" + kind + "/*"
	}
	return grant.Role(scope, "InstanceRole", "ec2.amazonaws.com", "Supermax: an instance of the queue",
		grant.Allow([]string{"ecs:DiscoverPollEndpoint"}, []string{"*"}),
		grant.Allow([]string{
			"ecs:DeregisterContainerInstance", "ecs:RegisterContainerInstance", "ecs:SubmitAttachmentStateChanges",
			"ecs:SubmitContainerStateChange", "ecs:SubmitTaskStateChange",
		}, []string{ours("cluster")}),
		grant.Allow([]string{"ecs:Poll", "ecs:StartTelemetrySession", "ecs:UpdateContainerInstancesState"}, []string{ours("container-instance")}),
		grant.AllowIf([]string{"ecs:TagResource"}, []string{ours("container-instance")},
			map[string]any{"StringEquals": map[string]any{"ecs:CreateAction": "RegisterContainerInstance"}}),
	)
}
