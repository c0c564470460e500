package objects

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"gocloud.dev/blob"

	"github.com/supermax-hpo/supermax/shared/pause"
)

const (
	// stall is how long a body may take for the next stallBytes before it is opened again.
	stall      = 30 * time.Second
	stallBytes = 256 << 10
	// openings is how often in a row a body may break without a single byte.
	openings = 8
	// firstOpeningPause doubles with each of them.
	firstOpeningPause = 50 * time.Millisecond
	// wholeReads is how often [Bucket.Read] starts.
	wholeReads = 3
)

// A resuming reader reads one object of S3 to its end, however often its body breaks or
// stalls: it goes on at the byte where it was, in the same version of the object.
type resuming struct {
	ctx    context.Context
	bucket *blob.Bucket
	key    string
	stall  time.Duration

	size   int64
	etag   string // of the version that is read; empty before the first opening
	offset int64
	broken int // openings in a row without a byte

	body   *blob.Reader // nil: to be opened
	cancel context.CancelFunc
	budget time.Duration // left for the next stallBytes
	got    int64         // of them
}

// readS3 reads a whole object, once more when it changes or is damaged on the way.
func (b *Bucket) readS3(ctx context.Context, key string) ([]byte, error) {
	for attempt := 1; ; attempt++ {
		r, err := newResuming(ctx, b.blob, key, stall)
		if err != nil {
			return nil, err
		}
		data := bytes.NewBuffer(make([]byte, 0, r.size+bytes.MinRead))
		_, err = data.ReadFrom(r)
		_ = r.Close()
		if err == nil || !errors.Is(err, errReadAgain) || attempt == wholeReads {
			return data.Bytes(), err
		}
	}
}

// errReadAgain marks what reading an object from its start may mend.
var (
	errReadAgain = errors.New("read it again from its start")
	errChanged   = fmt.Errorf("it was written again while it was read: %w", errReadAgain)
	errDamaged   = fmt.Errorf("its bytes were damaged on the way: %w", errReadAgain)
)

// newResuming opens the object, so that one that is not there is told at once.
func newResuming(ctx context.Context, bucket *blob.Bucket, key string, stall time.Duration) (*resuming, error) {
	r := &resuming{ctx: ctx, bucket: bucket, key: key, stall: stall}
	if err := r.open(); err != nil {
		return nil, err
	}
	return r, nil
}

func (r *resuming) open() error {
	ctx, cancel := context.WithCancel(r.ctx)
	body, err := r.bucket.NewRangeReader(ctx, r.key, r.offset, -1, &blob.ReaderOptions{BeforeRead: func(as func(any) bool) error {
		var in *s3.GetObjectInput
		if r.etag != "" && as(&in) {
			in.IfMatch = aws.String(r.etag)
		}
		return nil
	}})
	if err != nil {
		cancel()
		if apiCode(err) == "PreconditionFailed" {
			return errChanged
		}
		return err
	}
	if r.etag == "" {
		var head s3.GetObjectOutput
		body.As(&head)
		r.etag, r.size = aws.ToString(head.ETag), body.Size()
	}
	r.body, r.cancel, r.budget, r.got = body, cancel, r.stall, 0
	return nil
}

// Read implements [io.Reader].
func (r *resuming) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for {
		if r.body == nil {
			if err := r.open(); err != nil {
				return 0, err
			}
		}
		n, err := r.read(p)
		r.offset += int64(n)
		if n > 0 {
			r.broken = 0
		}
		switch {
		case err == nil || errors.Is(err, io.EOF) && r.offset == r.size:
			return n, err
		case r.ctx.Err() != nil:
			return n, r.ctx.Err()
		case r.offset >= r.size: // all bytes are here, and their checksum differs
			return n, errDamaged
		}
		if cerr := r.close(); cerr != nil && r.ctx.Err() != nil {
			return n, r.ctx.Err()
		}
		if n > 0 {
			return n, nil
		}
		if r.broken++; r.broken == openings {
			return 0, fmt.Errorf("its body broke %d times in a row at byte %d of %d: %w", openings, r.offset, r.size, err)
		}
		if err := pause.For(r.ctx, firstOpeningPause<<(r.broken-1)); err != nil {
			return 0, err
		}
	}
}

// read reads from the body, and cancels it when it stalls. Time between two reads does not
// count: the caller may take it.
func (r *resuming) read(p []byte) (int, error) {
	began := time.Now()
	watch := time.AfterFunc(r.budget, r.cancel)
	n, err := r.body.Read(p)
	watch.Stop()
	r.budget -= time.Since(began)
	if r.got += int64(n); r.got >= stallBytes {
		r.budget, r.got = r.stall, 0
	}
	return n, err
}

func (r *resuming) close() error {
	if r.body == nil {
		return nil
	}
	r.cancel()
	err := r.body.Close()
	r.body = nil
	return err
}

// Close implements [io.Closer].
func (r *resuming) Close() error {
	_ = r.close() // nothing was written
	return nil
}
