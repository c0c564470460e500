package objects

import (
	"context"
	"errors"
	"io"

	"github.com/aws/aws-sdk-go-v2/feature/s3/manager"
	"gocloud.dev/blob"
)

// The parts of a large object: 10,000 of them are 160 GB. A small object takes one part's
// memory while it is written.
const (
	partBytes   = 16 << 20
	partsAtOnce = 3
)

// writeS3 is [Bucket.write] for S3. What fill fails with reaches the upload as a fault of
// its input, so that it gives the object up; an end of input would complete it.
func (b *Bucket) writeS3(ctx context.Context, key string, fill func(io.Writer) error) error {
	in, out := io.Pipe()
	uploaded := make(chan error, 1)
	go func() {
		err := b.upload(ctx, key, in)
		_ = in.CloseWithError(errors.Join(errUploadEnded, err)) // wakes a fill that still writes
		uploaded <- err
	}()
	filled := errFillPanicked
	defer func() { _ = out.CloseWithError(filled) }() // only a panic of fill needs it
	filled = fill(out)
	_ = out.CloseWithError(filled) // nil: the end of the input
	err := <-uploaded
	if filled != nil && !errors.Is(filled, errUploadEnded) {
		return filled
	}
	return err
}

var (
	errUploadEnded  = errors.New("the upload ended")
	errFillPanicked = errors.New("the writer panicked")
)

// upload sends r whole or not at all.
func (b *Bucket) upload(ctx context.Context, key string, r io.Reader) error {
	return b.blob.Upload(ctx, key, r, &blob.WriterOptions{
		ContentType: contentType,
		BeforeWrite: func(as func(any) bool) error {
			var u *manager.Uploader
			if as(&u) {
				u.PartSize, u.Concurrency = partBytes, partsAtOnce
			}
			return nil
		},
	})
}
