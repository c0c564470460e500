package slot

import (
	"context"

	"github.com/supermax-hpo/supermax/shared/objects"
	"github.com/supermax-hpo/supermax/shared/results"
	"github.com/supermax-hpo/supermax/shared/space"
)

// Files is the [Metrics] of a study: Parquet files in its bucket.
type Files struct {
	Bucket *objects.Bucket
	Whole  *space.Space // whose parameters are the files' columns
}

var _ Metrics = Files{}

// Write puts the rows under key, whole or not at all.
func (f Files) Write(ctx context.Context, key string, rows []results.Row) error {
	return results.Write(ctx, f.Bucket, key, f.Whole, rows)
}

// Delete removes a file; that there is none is no error.
func (f Files) Delete(ctx context.Context, key string) error { return f.Bucket.Delete(ctx, key) }
