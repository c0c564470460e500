package compute

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsecr"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsecrassets"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/supermax-hpo/supermax/infra/internal/grant"
)

// A trainerImage is the image of the jobs, and what may be needed to pull it.
type trainerImage struct {
	uri  *string
	pull []awsiam.PolicyStatement
}

// newImage takes the image that the settings name; else has cdk build it, where a Docker
// engine is at hand; else makes a repository and says how to fill it.
func newImage(scope constructs.Construct, p Props) trainerImage {
	if p.Settings.Image != "" {
		return trainerImage{jsii.String(p.Settings.Image), pull(anyRepository(scope))}
	}
	if p.Docker {
		asset := awsecrassets.NewDockerImageAsset(scope, jsii.String("Trainer"), &awsecrassets.DockerImageAssetProps{
			Directory: jsii.String(p.Root), File: jsii.String("batchjob/Dockerfile"),
			Platform:   awsecrassets.Platform_LINUX_AMD64(),
			IgnoreMode: awscdk.IgnoreMode_DOCKER,
		})
		return trainerImage{asset.ImageUri(), pull(*asset.Repository().RepositoryArn())}
	}
	repository := awsecr.NewRepository(scope, jsii.String("Images"), &awsecr.RepositoryProps{
		ImageScanOnPush: jsii.Bool(true),
		LifecycleRules:  &[]*awsecr.LifecycleRule{{MaxImageCount: jsii.Number(3), Description: jsii.String("the newest three")}},
		EmptyOnDelete:   jsii.Bool(true), // images can be built again
		RemovalPolicy:   awscdk.RemovalPolicy_DESTROY,
	})
	awscdk.Annotations_Of(scope).AddWarningV2(jsii.String("supermax:image"), jsii.String(
		"no Docker engine answers here, so the trainer's image is not built: jobs fail to pull it until "+
			"`make image-push` has run, once after this deployment, on a machine with Docker (or deploy with -c image=URI)"))
	return trainerImage{repository.RepositoryUriForTag(jsii.String("latest")), pull(*repository.RepositoryArn())}
}

// pull permits pulling a repository's images. The login is for the whole registry.
func pull(repositoryArn string) []awsiam.PolicyStatement {
	return []awsiam.PolicyStatement{
		grant.Allow([]string{"ecr:GetAuthorizationToken"}, []string{"*"}),
		grant.Allow([]string{"ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"}, []string{repositoryArn}),
	}
}

// anyRepository is for an image from elsewhere: in this account's registry, if in any of ECR.
func anyRepository(scope constructs.Construct) string {
	stack := awscdk.Stack_Of(scope)
	return "arn:" + *stack.Partition() + ":ecr:" + *stack.Region() + ":" + *stack.Account() + ":repository/*"
}
