package cloud

import (
	"context"
	"errors"
	"fmt"
	"regexp"

	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"github.com/supermax-hpo/supermax/cmd/supermax/internal/mistake"
)

type imageDescriber interface {
	DescribeImages(context.Context, *ecr.DescribeImagesInput, ...func(*ecr.Options)) (*ecr.DescribeImagesOutput, error)
}

// imageForm is an image in ECR: account, region, repository, and tag or digest.
var imageForm = regexp.MustCompile(`^(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/([a-z0-9._/-]+)(?::([A-Za-z0-9._-]+)|@(sha256:[0-9a-f]{64}))?$`)

// checkImage looks whether the trainer's image is there. That it is not is a mistake; that
// it cannot be looked at is a warning.
func (a *Account) checkImage(ctx context.Context) (warnings []string, err error) {
	image := a.Stack.Image
	m := imageForm.FindStringSubmatch(image)
	if m == nil {
		return []string{fmt.Sprintf("the trainer's image %s is not checked: it is not in ECR", image)}, nil
	}
	id := types.ImageIdentifier{ImageTag: &m[4]}
	switch {
	case m[5] != "":
		id = types.ImageIdentifier{ImageDigest: &m[5]}
	case m[4] == "":
		latest := "latest"
		id.ImageTag = &latest
	}
	_, err = a.images.DescribeImages(ctx, &ecr.DescribeImagesInput{RegistryId: &m[1], RepositoryName: &m[3], ImageIds: []types.ImageIdentifier{id}},
		func(o *ecr.Options) { o.Region = m[2] })
	var noImage *types.ImageNotFoundException
	var noRepository *types.RepositoryNotFoundException
	switch {
	case err == nil:
		return nil, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.As(err, &noImage), errors.As(err, &noRepository):
		return nil, mistake.Errorf("the trainer's image %s is not there: deploy the stack again, which pushes it, or give its URI to cdk deploy with -c image=", image)
	}
	return []string{fmt.Sprintf("the trainer's image %s is not checked: %v", image, explain("read ECR", err))}, nil
}
