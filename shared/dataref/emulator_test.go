package dataref

import (
	"context"
	"crypto/rand"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/supermax-hpo/supermax/shared/awscall"
	"github.com/supermax-hpo/supermax/shared/objects"
)

// emulatorBucket makes a bucket of the account that tests may use, and makes the
// environment such that programs reach it as the test does.
func emulatorBucket(t *testing.T, cfg aws.Config) string {
	t.Helper()
	keys, err := cfg.Credentials.Retrieve(t.Context())
	must(t, err)
	t.Setenv("AWS_ACCESS_KEY_ID", keys.AccessKeyID)
	t.Setenv("AWS_SECRET_ACCESS_KEY", keys.SecretAccessKey)
	t.Setenv("AWS_SESSION_TOKEN", keys.SessionToken)
	t.Setenv("AWS_REGION", cfg.Region)
	client := awscall.S3(cfg)
	name := "data-dataref-" + strings.ToLower(rand.Text())
	_, err = client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &name})
	must(t, err)
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		b, err := objects.Open(ctx, "s3://"+name)
		must(t, err)
		left, err := b.List(ctx, "")
		must(t, err)
		must(t, b.Delete(ctx, left...))
		_, err = client.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: &name})
		must(t, err)
	})
	return name
}
