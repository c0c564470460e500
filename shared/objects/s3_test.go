package objects

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/supermax-hpo/supermax/shared/awscall"
	"github.com/supermax-hpo/supermax/tests/emulator"
)

// onEmulator returns a new bucket of the account that tests may use, or skips.
func onEmulator(t *testing.T, prefix string) *Bucket {
	t.Helper()
	cfg := emulator.Config(t)
	name := "data-objects-" + strings.ToLower(rand.Text())
	client := awscall.S3(cfg)
	in := &s3.CreateBucketInput{Bucket: &name}
	if _, err := client.CreateBucket(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	b, err := newS3(t.Context(), cfg, name, prefix)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		whole, err := newS3(ctx, cfg, name, "")
		if err != nil {
			t.Fatal(err)
		}
		keys, err := whole.List(ctx, "")
		if err == nil {
			err = whole.Delete(ctx, keys...)
		}
		if err == nil {
			_, err = client.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: &name})
		}
		if err != nil {
			t.Errorf("remove the test's bucket: %v", err)
		}
	})
	return b
}

// large is more than two parts.
var large = bytes.Repeat([]byte("0123456789abcdef"), (2*partBytes+partBytes/2)/16)

// A large object is there whole or not at all; what a killed writer left is swept.
func TestS3Multipart(t *testing.T) {
	b := onEmulator(t, "p/")
	ctx := t.Context()
	boom := errors.New("boom")
	stream := func(end error) func(io.Writer) error {
		return func(w io.Writer) error {
			for chunk := range slices.Chunk(large, 1<<20) {
				if _, err := w.Write(chunk); err != nil {
					return err
				}
			}
			return end
		}
	}
	if err := b.Write(ctx, "model", []byte("old")); err != nil {
		t.Fatal(err)
	}
	uploads := func() int {
		t.Helper()
		page, err := b.s3.client.ListMultipartUploads(ctx, &s3.ListMultipartUploadsInput{Bucket: &b.s3.name})
		if err != nil {
			t.Fatal(err)
		}
		return len(page.Uploads)
	}
	if err := b.WriteFrom(ctx, "model", stream(boom)); !errors.Is(err, boom) {
		t.Fatalf("WriteFrom = %v, want %v", err, boom)
	}
	if n := uploads(); n != 0 {
		t.Errorf("a writer that failed left %d uploads", n)
	}
	func() {
		defer func() { _ = recover() }()
		_ = b.WriteFrom(ctx, "model", func(w io.Writer) error {
			_ = stream(nil)(w)
			panic(boom)
		})
	}()
	cancelled, cancel := context.WithCancel(ctx)
	err := b.WriteFrom(cancelled, "model", func(w io.Writer) error {
		cancel()
		return stream(nil)(w)
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("WriteFrom of a cancelled writer = %v", err)
	}
	if got, err := b.Read(ctx, "model"); string(got) != "old" || err != nil {
		t.Fatalf("after failed writes it holds %d bytes, %v", len(got), err)
	}
	if err := b.WriteFrom(ctx, "model", stream(nil)); err != nil {
		t.Fatal(err)
	}
	if got, err := b.Read(ctx, "model"); !bytes.Equal(got, large) || err != nil {
		t.Fatalf("Read gave %d bytes of %d, %v", len(got), len(large), err)
	}

	// As a kill amid an upload leaves it: below the prefix, and beside it.
	for _, key := range []string{"p/killed", "q/killed"} {
		if _, err := b.s3.client.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: &b.s3.name, Key: &key}); err != nil {
			t.Fatal(err)
		}
	}
	was := uploads()
	if keys, err := b.List(ctx, ""); err != nil || !slices.Equal(keys, []string{"model"}) {
		t.Errorf("List = %v, %v: it shows what is not whole", keys, err)
	}
	for _, step := range []struct {
		before time.Time
		want   int
	}{{time.Now().Add(-time.Hour), 0}, {time.Now().Add(time.Hour), was - 1}, {time.Now().Add(time.Hour), 0}} {
		if n, err := b.Sweep(ctx, step.before); n != step.want || err != nil {
			t.Fatalf("Sweep = %d, %v; want %d", n, err, step.want)
		}
	}
	if n := uploads(); n != 1 {
		t.Errorf("%d uploads after Sweep, want the one beside the prefix", n)
	}
	other := "q/killed"
	page, err := b.s3.client.ListMultipartUploads(ctx, &s3.ListMultipartUploadsInput{Bucket: &b.s3.name})
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range page.Uploads {
		_, _ = b.s3.client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: &b.s3.name, Key: &other, UploadId: u.UploadId})
	}
}

// More keys than one page lists, and one call deletes.
func TestS3Many(t *testing.T) {
	if testing.Short() {
		t.Skip("writes a thousand objects")
	}
	b := onEmulator(t, "")
	ctx := t.Context()
	var want []string
	for i := range deletesPerCall + 5 {
		key := fmt.Sprintf("k/%05d", i)
		if err := b.Write(ctx, key, nil); err != nil {
			t.Fatal(err)
		}
		want = append(want, key)
	}
	got, err := b.List(ctx, "k/")
	if err != nil || !slices.Equal(got, want) {
		t.Fatalf("List gave %d of %d keys, %v", len(got), len(want), err)
	}
	if err := b.Delete(ctx, append(got, "not/there")...); err != nil {
		t.Fatal(err)
	}
	if left, err := b.List(ctx, ""); err != nil || left != nil {
		t.Errorf("Delete left %v, %v", left, err)
	}
}

// Open takes endpoint, region and credentials from the environment; what is missing is
// said in one sentence, and a bucket that is not there is no missing object.
func TestOpenS3(t *testing.T) {
	var got *http.Request
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r.Clone(t.Context())
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, `<Error><Code>NoSuchBucket</Code><Message>The specified bucket does not exist</Message></Error>`)
	}))
	defer server.Close()
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": server.URL, "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_SESSION_TOKEN": "",
		"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "", "AWS_PROFILE": "",
		"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "AWS_ENDPOINT_URL_S3": "",
	} {
		t.Setenv(name, value)
	}
	b, err := Open(t.Context(), "s3://bucket/some/prefix/")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = b.Close() }()
	_, err = b.Read(t.Context(), "key")
	want := "read object s3://bucket/some/prefix/key: S3 answered: NoSuchBucket: The specified bucket does not exist"
	if err == nil || err.Error() != want || errors.Is(err, ErrNotFound) {
		t.Errorf("Read from no bucket: %v", err)
	}
	if got == nil || got.URL.Path != "/bucket/some/prefix/key" || !strings.Contains(got.Header.Get("Authorization"), "/eu-west-1/s3/") {
		t.Errorf("the request was %+v", got)
	}
	if _, err := b.List(t.Context(), "a/"); err == nil || !strings.HasPrefix(err.Error(), "list objects s3://bucket/some/prefix/a/: S3 answered: NoSuchBucket") {
		t.Errorf("List of no bucket: %v", err)
	}
	if got == nil || got.URL.Query().Get("prefix") != "some/prefix/a/" {
		t.Errorf("the list asked for %v", got.URL)
	}
	t.Setenv("AWS_REGION", "")
	if _, err := Open(t.Context(), "s3://bucket"); err == nil || !strings.Contains(err.Error(), "set AWS_REGION") {
		t.Errorf("Open without a region: %v", err)
	}
}
