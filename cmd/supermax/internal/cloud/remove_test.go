package cloud

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	batchtypes "github.com/aws/aws-sdk-go-v2/service/batch/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamotypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// ListObjectVersions gives two versions a page; a key that ends in ! is a mark of deletion.
func (f *fakes) ListObjectVersions(_ context.Context, in *s3.ListObjectVersionsInput, _ ...func(*s3.Options)) (*s3.ListObjectVersionsOutput, error) {
	if err := f.fail["ListObjectVersions"]; err != nil {
		return nil, err
	}
	out := &s3.ListObjectVersionsOutput{}
	for _, key := range f.versions[aws.ToString(in.Bucket)] {
		if !strings.HasPrefix(key, aws.ToString(in.Prefix)) || key <= aws.ToString(in.KeyMarker) {
			continue
		}
		if len(out.Versions)+len(out.DeleteMarkers) == 2 {
			out.IsTruncated = aws.Bool(true)
			break
		}
		if strings.HasSuffix(key, "!") {
			out.DeleteMarkers = append(out.DeleteMarkers, s3types.DeleteMarkerEntry{Key: aws.String(key), VersionId: aws.String("v")})
		} else {
			out.Versions = append(out.Versions, s3types.ObjectVersion{Key: aws.String(key), VersionId: aws.String("v")})
		}
		out.NextKeyMarker = aws.String(key)
	}
	return out, nil
}

func (f *fakes) DeleteObjects(_ context.Context, in *s3.DeleteObjectsInput, _ ...func(*s3.Options)) (*s3.DeleteObjectsOutput, error) {
	if err := f.fail["DeleteObjects"]; err != nil {
		return nil, err
	}
	bucket := aws.ToString(in.Bucket)
	for _, id := range in.Delete.Objects {
		if strings.Contains(aws.ToString(id.Key), "locked") {
			return &s3.DeleteObjectsOutput{Errors: []s3types.Error{{Key: id.Key, Code: aws.String("AccessDenied"), Message: aws.String("no")}}}, nil
		}
		f.versions[bucket] = slices.DeleteFunc(slices.Clone(f.versions[bucket]), func(k string) bool { return k == aws.ToString(id.Key) })
	}
	return &s3.DeleteObjectsOutput{}, nil
}

// Scan gives 30 items a page.
func (f *fakes) Scan(_ context.Context, in *dynamodb.ScanInput, _ ...func(*dynamodb.Options)) (*dynamodb.ScanOutput, error) {
	if err := f.fail["Scan"]; err != nil {
		return nil, err
	}
	out := &dynamodb.ScanOutput{}
	for i := range min(30, f.rows) {
		out.Items = append(out.Items, map[string]dynamotypes.AttributeValue{"pk": &dynamotypes.AttributeValueMemberS{Value: fmt.Sprint(i)}})
	}
	if f.rows > 30 {
		out.LastEvaluatedKey = out.Items[29]
	}
	return out, nil
}

func (f *fakes) BatchWriteItem(_ context.Context, in *dynamodb.BatchWriteItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.BatchWriteItemOutput, error) {
	if err := f.fail["BatchWriteItem"]; err != nil {
		return nil, err
	}
	writes := in.RequestItems["table"]
	if len(writes) > 25 {
		return nil, errors.New("more than 25 writes")
	}
	left := writes[:min(f.busy, len(writes))]
	f.busy = 0
	f.rows -= len(writes) - len(left)
	return &dynamodb.BatchWriteItemOutput{UnprocessedItems: map[string][]dynamotypes.WriteRequest{"table": left}}, nil
}

// Delete removes a study's state.
func (f *fakes) Delete(_ context.Context, study string) error {
	f.deleted = append(f.deleted, study)
	return nil
}

// held are versions of two studies, and what they share.
func held() map[string][]string {
	data := []string{"backbones/x/manifest.json", "corpora/x/posts.csv", "definitions/small-2.json", "definitions/small.json"}
	var results []string
	for _, s := range []string{"small", "small-2"} {
		results = append(results, "studies/"+s+"/study.json", "metrics/study="+s+"/stage=A/a.parquet", "metrics/study="+s+"/stage=A/b.parquet",
			"metrics/study="+s+"/stage=A/c.parquet!", "trials/study="+s+"/stage=A/trials.parquet", "exports/study="+s+"/best.json",
			"checkpoints/stage=A/study="+s+"/trial=000001/x", "checkpoints/stage=C/study="+s+"/trial=000001/x")
	}
	slices.Sort(results)
	return map[string][]string{"data": data, "results": results}
}

func TestDelete(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	w.aws.versions = held()
	h, err := w.Holds(ctx, "small")
	if err != nil || h != (Holding{Objects: 9}) {
		t.Errorf("holds %+v, %v", h, err)
	}
	w.aws.jobs = []job{{"one", "small", batchtypes.JobStatusRunning}}
	_, err = w.Delete(ctx, "small")
	refused(t, "a job runs", err, "study small is under way (0 executions, 1 jobs): stop it first")
	w.aws.jobs = nil
	w.aws.foreign("by-hand", `{"schema_version":1,"study":"small"}`)
	_, err = w.Delete(ctx, "small")
	refused(t, "it runs", err, "(1 executions, 0 jobs)")
	w.aws.end("arn:by-hand", "ABORTED")

	if h, err := w.Delete(ctx, "small"); err != nil || h.Objects != 9 || !slices.Equal(w.aws.deleted, []string{"small"}) {
		t.Errorf("deleted %+v and %v, %v", h, w.aws.deleted, err)
	}
	left := slices.Concat(w.aws.versions["data"], w.aws.versions["results"])
	if len(left) != 3+8 || slices.ContainsFunc(left, func(k string) bool {
		return strings.Contains(k, "small/") || strings.Contains(k, "small.json")
	}) {
		t.Errorf("left %q", left)
	}
	_, err = w.Delete(ctx, "small")
	refused(t, "nothing there", err, `holds nothing of a study "small"`)
	_, err = w.Delete(ctx, "")
	refused(t, "no name", err, "study name")
}

func TestDeleteFails(t *testing.T) {
	w := newWorld(t)
	w.aws.versions = map[string][]string{"results": {"studies/small/locked"}}
	if _, err := w.Delete(t.Context(), "small"); err == nil || !strings.Contains(err.Error(), "1 are not gone: studies/small/locked: AccessDenied: no") || len(w.aws.deleted) > 0 {
		t.Errorf("%v, deleted %v", err, w.aws.deleted)
	}
}

func TestPurge(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	w.aws.versions, w.aws.rows, w.aws.busy = held(), 70, 7
	if h, err := w.HoldsAll(ctx); err != nil || h.Objects != 4+16 {
		t.Errorf("holds %+v, %v", h, err)
	}
	w.aws.foreign("by-hand", `{}`)
	_, _, err := w.Purge(ctx)
	refused(t, "something runs", err, "1 executions are under way")
	w.aws.end("arn:by-hand", "SUCCEEDED")
	h, items, err := w.Purge(ctx)
	if err != nil || h.Objects != 20 || items < 70 || w.aws.rows != 0 || len(w.aws.versions["data"])+len(w.aws.versions["results"]) > 0 {
		t.Errorf("purged %+v and %d items, %d left: %v", h, items, w.aws.rows, err)
	}
}
