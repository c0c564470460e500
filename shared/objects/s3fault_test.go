package objects

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

// faulty is a server of one S3 bucket whose answers a test spoils.
type faulty struct {
	mu      sync.Mutex
	objects map[string][]byte
	version int // ETag of all objects
	calls   []string
	// spoil may answer a request itself; it reports whether it did.
	spoil func(w http.ResponseWriter, r *http.Request, call int) bool
}

func newFaulty(t *testing.T) (*faulty, *Bucket) {
	t.Helper()
	f := &faulty{objects: map[string][]byte{}}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	b, err := newS3(t.Context(), aws.Config{
		Region: "us-east-1", BaseEndpoint: &server.URL,
		Credentials:                credentials.NewStaticCredentialsProvider("a", "b", ""),
		ResponseChecksumValidation: aws.ResponseChecksumValidationWhenSupported,
	}, "bucket", "")
	if err != nil {
		t.Fatal(err)
	}
	return f, b
}

func (f *faulty) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	f.calls = append(f.calls, r.Method+" "+r.URL.Path+" "+r.Header.Get("Range"))
	if f.spoil != nil && f.spoil(w, r, len(f.calls)) {
		return
	}
	key := strings.TrimPrefix(r.URL.Path, "/bucket/")
	switch {
	case r.Method == http.MethodPut:
		f.objects[key] = body
	case r.Method == http.MethodDelete:
		delete(f.objects, key)
		w.WriteHeader(http.StatusNoContent)
	case r.URL.Query().Get("list-type") == "2":
		var contents strings.Builder
		for k := range f.objects {
			if strings.HasPrefix(k, r.URL.Query().Get("prefix")) {
				fmt.Fprintf(&contents, "<Contents><Key>%s</Key><Size>1</Size><LastModified>2025-01-01T00:00:00Z</LastModified></Contents>", k)
			}
		}
		fmt.Fprintf(w, "<ListBucketResult><IsTruncated>false</IsTruncated>%s</ListBucketResult>", contents.String())
	case f.objects[key] == nil:
		refuse(w, http.StatusNotFound, "NoSuchKey")
	case r.Header.Get("If-Match") != "" && r.Header.Get("If-Match") != f.etag():
		refuse(w, http.StatusPreconditionFailed, "PreconditionFailed")
	default:
		w.Header().Set("ETag", f.etag())
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(f.objects[key]))
	}
}

func (f *faulty) etag() string { return fmt.Sprintf(`"v%d"`, f.version) }

func refuse(w http.ResponseWriter, status int, code string) {
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, "<Error><Code>%s</Code><Message>%s of the day</Message></Error>", code, code)
}

// breakBody sends n of the object's bytes from where the request begins, and then cuts the
// connection.
func (f *faulty) breakBody(w http.ResponseWriter, r *http.Request, n int) {
	from := 0
	_, _ = fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-", &from)
	data := f.objects[strings.TrimPrefix(r.URL.Path, "/bucket/")]
	w.Header().Set("ETag", f.etag())
	w.Header().Set("Content-Length", fmt.Sprint(len(data)-from))
	if from > 0 {
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(data)-1, len(data)))
		w.WriteHeader(http.StatusPartialContent)
	}
	_, _ = w.Write(data[from:min(from+n, len(data))])
	w.(http.Flusher).Flush()
	panic(http.ErrAbortHandler)
}

func TestReadGoesOnAfterABrokenBody(t *testing.T) {
	f, b := newFaulty(t)
	f.objects["k"] = bytes.Repeat([]byte("0123456789"), 1000)
	f.spoil = func(w http.ResponseWriter, r *http.Request, call int) bool {
		if call%3 == 0 {
			refuse(w, http.StatusInternalServerError, "InternalError")
			return true
		}
		f.breakBody(w, r, 1500)
		return true
	}
	for name, read := range map[string]func() ([]byte, error){
		"Read": func() ([]byte, error) { return b.Read(t.Context(), "k") },
		"Reader": func() ([]byte, error) {
			r, err := b.Reader(t.Context(), "k")
			if err != nil {
				return nil, err
			}
			defer func() { _ = r.Close() }()
			return io.ReadAll(r)
		},
	} {
		if got, err := read(); err != nil || !bytes.Equal(got, f.objects["k"]) {
			t.Errorf("%s gave %d bytes, %v", name, len(got), err)
		}
	}
	for _, call := range f.calls[1:] {
		if strings.HasSuffix(call, "bytes=0-") {
			t.Errorf("read again from the start: %v", f.calls)
		}
	}
}

func TestReadGoesOnAfterAStall(t *testing.T) {
	f, b := newFaulty(t)
	f.objects["k"] = bytes.Repeat([]byte("0123456789"), 1000)
	f.spoil = func(w http.ResponseWriter, r *http.Request, call int) bool {
		if call > 2 {
			return false
		}
		w.Header().Set("ETag", f.etag())
		w.Header().Set("Content-Length", "10000")
		if call == 2 {
			w.Header().Set("Content-Length", "9990")
			w.Header().Set("Content-Range", "bytes 10-9999/10000")
			w.WriteHeader(http.StatusPartialContent)
		}
		_, _ = w.Write(f.objects["k"][:10])
		w.(http.Flusher).Flush()
		select { // slower than anybody waits
		case <-r.Context().Done():
		case <-time.After(time.Minute):
		}
		return true
	}
	r, err := newResuming(t.Context(), b.blob, "k", 50*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	got, err := io.ReadAll(r)
	if err != nil || !bytes.Equal(got, f.objects["k"]) {
		t.Errorf("read %d bytes, %v", len(got), err)
	}
	if want := []string{"GET /bucket/k ", "GET /bucket/k bytes=10-", "GET /bucket/k bytes=20-"}; fmt.Sprint(f.calls) != fmt.Sprint(want) {
		t.Errorf("calls %q, want %q", f.calls, want)
	}
}

// A body that never gives a byte is given up, with a sentence that holds none of the content.
func TestReadGivesUp(t *testing.T) {
	f, b := newFaulty(t)
	f.objects["k"] = []byte("a secret post")
	f.spoil = func(w http.ResponseWriter, r *http.Request, _ int) bool {
		from := 0
		if r.Header.Get("Range") == "" {
			from = 2
		}
		f.breakBody(w, r, from)
		return true
	}
	_, err := b.Read(t.Context(), "k")
	want := "read object s3://bucket/k: its body broke 8 times in a row at byte 2 of 13: "
	if err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "post") {
		t.Errorf("got %v, want %s…", err, want)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.Read(ctx, "k"); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// An object that is written while it is read comes whole from one of the writes.
func TestReadOfAnObjectThatChanges(t *testing.T) {
	f, b := newFaulty(t)
	f.objects["k"] = bytes.Repeat([]byte("a"), 1000)
	f.spoil = func(w http.ResponseWriter, r *http.Request, call int) bool {
		if call > 1 {
			return false
		}
		defer func() {
			f.objects["k"], f.version = bytes.Repeat([]byte("b"), 2000), 2
		}()
		f.breakBody(w, r, 500)
		return true
	}
	got, err := b.Read(t.Context(), "k")
	if err != nil || !bytes.Equal(got, f.objects["k"]) {
		t.Errorf("Read gave %d bytes, %v; want the later 2000", len(got), err)
	}
	f.calls, f.version = nil, 1
	r, err := b.Reader(t.Context(), "k")
	if err == nil {
		_, err = io.ReadAll(r)
		_ = r.Close()
	}
	if err == nil || !strings.Contains(err.Error(), "written again while it was read") {
		t.Errorf("a stream of an object that changed: %v", err)
	}
}

// Damage that leaves the length is found by the checksum, and read again.
func TestReadOfDamagedBytes(t *testing.T) {
	f, b := newFaulty(t)
	f.objects["k"] = []byte("0123456789")
	damaged := 1
	f.spoil = func(w http.ResponseWriter, _ *http.Request, call int) bool {
		w.Header().Set("x-amz-checksum-crc32", "poTHxg==") // of 0123456789
		if call > damaged {
			return false
		}
		_, _ = io.WriteString(w, "0123456780")
		return true
	}
	if got, err := b.Read(t.Context(), "k"); string(got) != "0123456789" || err != nil || len(f.calls) != 2 {
		t.Errorf("Read gave %q, %v after %d calls", got, err, len(f.calls))
	}
	damaged, f.calls = 100, nil
	if got, err := b.Read(t.Context(), "k"); err == nil || !strings.Contains(err.Error(), "damaged on the way") || len(f.calls) != wholeReads {
		t.Errorf("Read gave %q, %v after %d calls", got, err, len(f.calls))
	}
}

// Writes, lists, looks and deletes are repeated through faults of the service.
func TestFaultsAreRepeated(t *testing.T) {
	f, b := newFaulty(t)
	f.spoil = func(w http.ResponseWriter, r *http.Request, call int) bool {
		switch {
		case call%4 == 1:
			refuse(w, http.StatusInternalServerError, "InternalError")
		case call%4 == 2:
			refuse(w, http.StatusServiceUnavailable, "SlowDown")
		case call%4 == 3 && r.URL.Query().Has("list-type"):
			_, _ = io.WriteString(w, "<ListBucketResult><Contents><Key>")
		case call%4 == 3:
			panic(http.ErrAbortHandler)
		default:
			return false
		}
		return true
	}
	ctx := t.Context()
	if err := b.Write(ctx, "k", []byte("v")); err != nil {
		t.Fatal(err)
	}
	if ok, err := b.Exists(ctx, "k"); !ok || err != nil {
		t.Errorf("Exists = %t, %v", ok, err)
	}
	if keys, err := b.List(ctx, ""); len(keys) != 1 || err != nil {
		t.Errorf("List = %v, %v", keys, err)
	}
	if err := b.Delete(ctx, "k"); err != nil {
		t.Error(err)
	}
	if ok, err := b.Exists(ctx, "k"); ok || err != nil {
		t.Errorf("Exists after Delete = %t, %v", ok, err)
	}
}

// Who may list only below a prefix is refused what is not there; who may not read at all
// gets S3's reason.
func TestMissingToThoseWhoMayNotList(t *testing.T) {
	f, b := newFaulty(t)
	f.objects["here"] = []byte("x")
	mayList := true
	f.spoil = func(w http.ResponseWriter, r *http.Request, _ int) bool {
		if r.URL.Query().Has("list-type") && mayList {
			return false
		}
		refuse(w, http.StatusForbidden, "AccessDenied")
		return true
	}
	ctx := t.Context()
	if _, err := b.Read(ctx, "not"); !errors.Is(err, ErrNotFound) {
		t.Errorf("what is not there: %v", err)
	}
	const want = "read object s3://bucket/here: S3 answered: AccessDenied: AccessDenied of the day"
	if _, err := b.Read(ctx, "here"); err == nil || errors.Is(err, ErrNotFound) || err.Error() != want {
		t.Errorf("what may not be read: %v", err)
	}
	mayList = false
	if _, err := b.Read(ctx, "not"); err == nil || errors.Is(err, ErrNotFound) {
		t.Errorf("without any right: %v", err)
	}
	for _, err := range []error{b.Write(ctx, "k", nil), b.Delete(ctx, "k")} {
		if err == nil || !strings.Contains(err.Error(), "S3 answered: AccessDenied") || strings.ContainsRune(err.Error(), '\n') {
			t.Errorf("without any right: %v", err)
		}
	}
	if _, err := b.Sweep(ctx, time.Now()); err == nil || !strings.HasPrefix(err.Error(), "remove unfinished objects of s3://bucket/: S3 answered: AccessDenied") {
		t.Errorf("Sweep without any right: %v", err)
	}
}
