package modelstore

import (
	"context"
	"crypto/rand"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"

	"github.com/supermax-hpo/supermax/cmd/supermax/internal/hub/hubtest"
	"github.com/supermax-hpo/supermax/shared/awscall"
	"github.com/supermax-hpo/supermax/shared/dataref"
	"github.com/supermax-hpo/supermax/shared/objects"
	"github.com/supermax-hpo/supermax/tests/emulator"
)

// A backbone is pulled into S3, listed, and fetched as trainers fetch it.
func TestPullIntoS3(t *testing.T) {
	cfg := emulator.Config(t)
	keys, err := cfg.Credentials.Retrieve(t.Context())
	check(t, err)
	t.Setenv("AWS_ACCESS_KEY_ID", keys.AccessKeyID)
	t.Setenv("AWS_SECRET_ACCESS_KEY", keys.SecretAccessKey)
	t.Setenv("AWS_SESSION_TOKEN", keys.SessionToken)
	t.Setenv("AWS_REGION", cfg.Region)
	client := awscall.S3(cfg)
	name := "data-models-" + strings.ToLower(rand.Text())
	_, err = client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &name})
	check(t, err)
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		b, err := objects.Open(ctx, "s3://"+name)
		check(t, err)
		left, err := b.List(ctx, "")
		check(t, err)
		check(t, b.Delete(ctx, left...))
		_, err = client.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: &name})
		check(t, err)
	})
	want := files(t, backbone(t))
	server := hubtest.New(t, model, want)
	s, done, err := Open(t.Context(), "s3://"+name+"/shared/")
	check(t, err)
	defer func() { check(t, done()) }()
	e, _, err := PullInto(t.Context(), s, t.TempDir(), pulling(t, server), nil)
	check(t, err)
	if !strings.HasPrefix(e.Place, "s3://"+name+"/shared/backbones/") {
		t.Errorf("it lies at %s", e.Place)
	}
	all, err := s.List(t.Context())
	if d := cmp.Diff([]Entry{e}, all); err != nil || d != "" {
		t.Errorf("%v: -want +got\n%s", err, d)
	}
	dir, err := (&dataref.Cache{Dir: filepath.Join(t.TempDir(), "cache")}).Folder(t.Context(), e.Place)
	check(t, err)
	if _, err := Check(dir); err != nil {
		t.Error(err)
	}
}
