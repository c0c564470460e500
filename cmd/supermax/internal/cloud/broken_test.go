package cloud

import (
	"context"
	"errors"
	"strings"
	"testing"

	athenatypes "github.com/aws/aws-sdk-go-v2/service/athena/types"
	batchtypes "github.com/aws/aws-sdk-go-v2/service/batch/types"
	"github.com/aws/smithy-go"

	"github.com/supermax-hpo/supermax/cmd/supermax/internal/progress"
	"github.com/supermax-hpo/supermax/shared/config"
	"github.com/supermax-hpo/supermax/shared/objects"
)

// Whatever a service answers, the error says what the call was for and what it said.
func TestBrokenServices(t *testing.T) {
	ctx := context.Background()
	start := func(w *world) error {
		_, err := w.Start(ctx, w.study(nil), Options{}, w.messages())
		return err
	}
	stop := func(w *world) error {
		_, err := w.Stop(ctx, "small", func(string) {})
		return err
	}
	remove := func(w *world) error { _, err := w.Delete(ctx, "small"); return err }
	purge := func(w *world) error { _, _, err := w.Purge(ctx); return err }
	query := func(w *world) error { _, _, err := w.Query(ctx, "SELECT 1 AS one"); return err }
	follow := func(w *world) error {
		_, err := w.Follow(ctx, &Execution{ARN: "arn:small", Studies: []string{"small"}}, quiet)
		return err
	}
	for _, c := range []struct {
		operation string
		do        func(*world) error
		want      string
	}{
		{"ListExecutions", start, "list the executions: "},
		{"StartExecution", start, "start an execution: "},
		{"DescribeExecution", follow, "read the execution: "},
		{"ListExecutions", stop, "list the executions: "},
		{"Invoke", stop, ""},
		{"ListJobs", stop, "list the jobs: "},
		{"DescribeJobs", stop, "read the jobs: "},
		{"TerminateJob", stop, "terminate job one: "},
		{"StopExecution", stop, "stop execution by-hand: "},
		{"ListObjectVersions", remove, "list the objects of data: "},
		{"DeleteObjects", remove, "remove objects of results: "},
		{"ListExecutions", purge, "list the executions: "},
		{"ListObjectVersions", purge, "list the objects of data: "},
		{"Scan", purge, "after 1 objects: read the table: "},
		{"BatchWriteItem", purge, "remove the table's items: "},
		{"StartQueryExecution", query, "start the query: "},
		{"GetQueryExecution", query, "follow the query: "},
		{"GetQueryResults", query, "read the query's answer: "},
	} {
		w := newWorld(t)
		w.aws.walks = false
		if _, err := w.created(ctx); err != nil {
			t.Fatal(err)
		}
		w.aws.query = queryAnswer{states: []athenatypes.QueryExecutionState{"SUCCEEDED"}, columns: [][2]string{{"one", "integer"}}, pages: [][][]string{{{"one"}}}}
		switch c.operation {
		case "TerminateJob", "DescribeJobs":
			w.aws.jobs = []job{{"one", "small", batchtypes.JobStatusRunning}}
		case "StopExecution":
			w.aws.foreign("by-hand", `{"study":"small"}`)
		}
		w.aws.versions, w.aws.rows = map[string][]string{"results": {"studies/small/study.json"}}, 1
		w.aws.fail = map[string]error{c.operation: &smithy.GenericAPIError{Code: "InternalFailure", Message: "we\nbroke"}}
		err := c.do(w)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "InternalFailure: we") {
			t.Errorf("%s: %v, want %q", c.operation, err, c.want)
		}
	}
}

// created makes the study, as if an execution had begun.
func (w *world) created(ctx context.Context) (*config.Study, error) {
	if err := w.Upload(ctx, w.study(nil), nil, w.messages()); err != nil {
		return nil, err
	}
	c, err := w.definition(ctx, "small")
	if err != nil {
		return nil, err
	}
	return c, w.service.Create(ctx, c)
}

// A bucket that cannot be opened, and a definition that is damaged.
func TestBrokenBuckets(t *testing.T) {
	ctx := t.Context()
	w := newWorld(t)
	if _, err := w.created(ctx); err != nil {
		t.Fatal(err)
	}
	s, err := w.Study("small")
	if err != nil {
		t.Fatal(err)
	}
	bucket, err := w.data(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := bucket.Write(ctx, "definitions/small.json", []byte("{")); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Resume(ctx, "small", Options{}, w.messages()); err == nil || !strings.Contains(err.Error(), "read the definition of small: ") {
		t.Errorf("resume: %v", err)
	}
	results := w.service.Objects
	if err := results.Write(ctx, config.Key("small"), []byte("{")); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Definition(ctx); err == nil || !strings.Contains(err.Error(), "read the definition of study small: ") {
		t.Errorf("definition: %v", err)
	}
	if _, err := w.Start(ctx, w.study(nil), Options{}, w.messages()); err == nil || !strings.Contains(err.Error(), "read the definition of study small: ") {
		t.Errorf("start: %v", err)
	}
	if err := results.Write(ctx, "metrics/study=small/stage=A/x", nil); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Rows(ctx); err == nil || !strings.Contains(err.Error(), "read the metrics of study small: ") {
		t.Errorf("rows: %v", err)
	}

	broken := errors.New("on fire")
	w.results = func(context.Context) (*objects.Bucket, error) { return nil, broken }
	_, rows := s.Rows(ctx)
	_, export := s.Export(ctx, "best", "json")
	_, definition := s.Definition(ctx)
	for _, err := range []error{rows, export, definition} {
		if !errors.Is(err, broken) || !strings.HasPrefix(err.Error(), "open the results: ") {
			t.Errorf("results: %v", err)
		}
	}
	w.data = func(context.Context) (*objects.Bucket, error) { return nil, broken }
	_, resume := w.Resume(ctx, "small", Options{}, w.messages())
	for _, err := range []error{resume, w.Upload(ctx, w.study(nil), nil, w.messages())} {
		if !errors.Is(err, broken) || !strings.HasPrefix(err.Error(), "open the data: ") {
			t.Errorf("data: %v", err)
		}
	}
}

// The following ends with its context; the execution goes on.
func TestFollowStopped(t *testing.T) {
	w := newWorld(t)
	w.aws.walks = false
	e := w.start(Options{})
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := w.service.Start(ctx, e.Request); err != nil {
		t.Fatal(err)
	}
	shown := 0
	_, err := w.Follow(ctx, e, func() func(progress.Status) {
		return func(progress.Status) {
			if shown++; shown == 3 {
				cancel()
			}
		}
	})
	if !errors.Is(err, context.Canceled) || w.aws.called("stop ") > 0 {
		t.Errorf("%v", err)
	}
}
