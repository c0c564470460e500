package objects

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"

	"gocloud.dev/blob"
)

// Write puts data under key, over what was there. After an error, or when the process
// ends on the way, what was there before is still there, whole.
func (b *Bucket) Write(ctx context.Context, key string, data []byte) error {
	if b.s3 != nil {
		if err := CheckKey(key); err != nil {
			return err
		}
		if err := b.upload(ctx, key, bytes.NewReader(data)); err != nil {
			return b.s3.failed("write", key, err)
		}
		return nil
	}
	return b.WriteFrom(ctx, key, func(w io.Writer) error {
		_, err := io.Copy(w, bytes.NewReader(data))
		return err
	})
}

// WriteFrom is [Bucket.Write] for an object too large to hold in memory: fill writes it.
// Nothing is kept when fill returns an error.
func (b *Bucket) WriteFrom(ctx context.Context, key string, fill func(io.Writer) error) error {
	if err := CheckKey(key); err != nil {
		return err
	}
	write := b.write
	if b.s3 != nil {
		write = b.writeS3
	}
	if err := write(ctx, key, fill); err != nil {
		return b.failed(ctx, "write", key, err)
	}
	return nil
}

const contentType = "application/octet-stream"

func (b *Bucket) write(ctx context.Context, key string, fill func(io.Writer) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var file *os.File // stays nil when the bucket is not a folder
	w, err := b.blob.NewWriter(ctx, key, &blob.WriterOptions{
		ContentType: contentType,
		BeforeWrite: func(as func(any) bool) error { as(&file); return nil },
	})
	if err != nil {
		return err
	}
	err = fill(w)
	if err == nil && file != nil {
		// The study's log may say that this object is there: it must outlive a power cut
		// as the log does. A rename alone can survive one without the bytes.
		err = file.Sync()
	}
	if err != nil {
		cancel() // makes Close remove what was written
		_ = w.Close()
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	if file != nil {
		return syncDir(filepath.Dir(file.Name()))
	}
	return nil
}

// syncDir makes the names in a folder durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	if cerr := d.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return fmt.Errorf("make %s durable: %w", dir, err)
	}
	return nil
}

// diskFull returns the system's error when err means that the disk, or the user's share
// of it, is full.
func diskFull(err error) error {
	for _, full := range []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT} {
		if errors.Is(err, full) {
			return full
		}
	}
	return nil
}
