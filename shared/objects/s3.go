package objects

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"gocloud.dev/blob"
	"gocloud.dev/blob/s3blob"

	"github.com/supermax-hpo/supermax/shared/awscall"
)

// deletesPerCall is the most keys that S3 deletes in one call.
const deletesPerCall = 1000

// bucketName is what S3 allows.
var bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

// s3Bucket is a bucket of S3, or the part of one below a prefix. It does what package blob
// does not, or does with more calls and rights than needed.
type s3Bucket struct {
	client *s3.Client
	name   string
	prefix string // empty, or ends in "/"
}

// openS3 opens s3://name or s3://name/prefix with the machine's own configuration. It
// sends nothing: that the bucket is there, and open to us, shows with the first call.
func openS3(ctx context.Context, u *url.URL) (*Bucket, error) {
	name, prefix, err := splitS3(u)
	if err != nil {
		return nil, fmt.Errorf("open bucket: %w", err)
	}
	cfg, err := awscall.Config(ctx)
	if err != nil {
		return nil, fmt.Errorf("open bucket s3://%s: %w", name, err)
	}
	return newS3(ctx, cfg, name, prefix)
}

// newS3 is the bucket as cfg reaches it.
func newS3(ctx context.Context, cfg aws.Config, name, prefix string) (*Bucket, error) {
	client := awscall.S3(cfg)
	b, err := s3blob.OpenBucket(ctx, client, name, &s3blob.Options{RequestChecksumCalculation: cfg.RequestChecksumCalculation})
	if err != nil {
		return nil, fmt.Errorf("open bucket s3://%s: %w", name, err)
	}
	if prefix != "" {
		b = blob.PrefixedBucket(b, prefix)
	}
	return &Bucket{blob: b, url: "s3://" + strings.TrimSuffix(name+"/"+prefix, "/"), s3: &s3Bucket{client: client, name: name, prefix: prefix}}, nil
}

// splitS3 returns the bucket's name and the prefix, which ends in "/" unless it is empty.
func splitS3(u *url.URL) (name, prefix string, err error) {
	if u.User != nil || u.Port() != "" || u.RawQuery != "" || u.Fragment != "" || !bucketName.MatchString(u.Host) {
		return "", "", fmt.Errorf("%q names no S3 bucket; use s3://bucket or s3://bucket/prefix", u.Redacted())
	}
	prefix = strings.TrimSuffix(strings.TrimPrefix(u.Path, "/"), "/")
	if prefix == "" {
		return u.Host, "", nil
	}
	if err := CheckKey(prefix); err != nil {
		return "", "", err
	}
	return u.Host, prefix + "/", nil
}

func (b *s3Bucket) key(key string) *string { return aws.String(b.prefix + key) }

// exists lists: a HEAD of what is not there is refused to those who may list only below a
// prefix, and says the same of a bucket that is not there. A key is the first of those
// that it is a prefix of.
func (b *s3Bucket) exists(ctx context.Context, key string) (bool, error) {
	page, err := b.client.ListObjectsV2(ctx, &s3.ListObjectsV2Input{
		Bucket: &b.name, Prefix: b.key(key), MaxKeys: aws.Int32(1),
	})
	if err != nil {
		return false, err
	}
	return len(page.Contents) > 0 && aws.ToString(page.Contents[0].Key) == b.prefix+key, nil
}

// delete removes objects, whether they are there or not.
func (b *s3Bucket) delete(ctx context.Context, keys []string) error {
	if len(keys) == 1 {
		_, err := b.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &b.name, Key: b.key(keys[0])})
		return err
	}
	for len(keys) > 0 {
		n := min(len(keys), deletesPerCall)
		ids := make([]types.ObjectIdentifier, n)
		for i, key := range keys[:n] {
			ids[i] = types.ObjectIdentifier{Key: b.key(key)}
		}
		reply, err := b.client.DeleteObjects(ctx, &s3.DeleteObjectsInput{
			Bucket: &b.name, Delete: &types.Delete{Objects: ids, Quiet: aws.Bool(true)},
		})
		if err != nil {
			return err
		}
		// One key's fault does not fail the call, nor is it repeated by the client.
		for _, e := range reply.Errors {
			if _, err := b.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &b.name, Key: e.Key}); err != nil {
				return err
			}
		}
		keys = keys[n:]
	}
	return nil
}

// sweep ends the uploads that were begun before the given time and neither completed nor
// given up. Their parts cost money and no list shows them.
func (b *s3Bucket) sweep(ctx context.Context, before time.Time) (int, error) {
	removed := 0
	pages := s3.NewListMultipartUploadsPaginator(b.client, &s3.ListMultipartUploadsInput{Bucket: &b.name, Prefix: &b.prefix})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return removed, err
		}
		for _, u := range page.Uploads {
			if !aws.ToTime(u.Initiated).Before(before) {
				continue
			}
			_, err := b.client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: &b.name, Key: u.Key, UploadId: u.UploadId})
			if err != nil && apiCode(err) != "NoSuchUpload" { // ended meanwhile
				return removed, err
			}
			removed++
		}
	}
	return removed, nil
}

// apiCode returns S3's name of an error, or "".
func apiCode(err error) string {
	var coded interface{ ErrorCode() string }
	if errors.As(err, &coded) {
		return coded.ErrorCode()
	}
	return ""
}

// missing reports whether err, of a call about key, means that there is no such object.
// S3 says so only to those who may list the whole bucket, and refuses the others.
func (b *s3Bucket) missing(ctx context.Context, key string, err error) bool {
	switch apiCode(err) {
	case "NoSuchKey":
		return true
	case "AccessDenied", "Forbidden":
		there, err := b.exists(ctx, key)
		return err == nil && !there
	}
	return false
}

// oneKey names what a call about keys was about: the key if it is one.
func oneKey(keys []string) string {
	if len(keys) == 1 {
		return keys[0]
	}
	return ""
}
