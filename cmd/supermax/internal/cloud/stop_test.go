package cloud

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/batch"
	batchtypes "github.com/aws/aws-sdk-go-v2/service/batch/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/supermax-hpo/supermax/cmd/supermax/internal/mistake"
	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/study"
)

// job is a Batch job.
type job struct {
	id, study string
	status    batchtypes.JobStatus
}

// Invoke is the stop function.
func (f *fakes) Invoke(ctx context.Context, in *lambda.InvokeInput, _ ...func(*lambda.Options)) (*lambda.InvokeOutput, error) {
	if err := f.fail["Invoke"]; err != nil {
		return nil, err
	}
	f.note("invoke %s", aws.ToString(in.FunctionName))
	var req protocol.StopRequest
	if err := json.Unmarshal(in.Payload, &req); err != nil {
		return nil, err
	}
	reply, err := f.service.Stop(ctx, req)
	if err == nil {
		payload, err := json.Marshal(reply)
		return &lambda.InvokeOutput{Payload: payload, StatusCode: 200}, err
	}
	kind := "Unavailable"
	var refused *study.Error
	if errors.As(err, &refused) {
		kind = map[protocol.ErrorCode]string{protocol.CodeNotFound: "NotFound", protocol.CodeConflict: "Conflict"}[refused.Code]
	} else if strings.Contains(err.Error(), "no such study") {
		kind = "NotFound"
	}
	payload, _ := json.Marshal(map[string]string{"errorType": kind, "errorMessage": err.Error()})
	return &lambda.InvokeOutput{Payload: payload, StatusCode: 200, FunctionError: aws.String("Unhandled")}, nil
}

// ListJobs gives one job a page.
func (f *fakes) ListJobs(_ context.Context, in *batch.ListJobsInput, _ ...func(*batch.Options)) (*batch.ListJobsOutput, error) {
	if err := f.fail["ListJobs"]; err != nil {
		return nil, err
	}
	var ids []string
	for _, j := range f.jobs {
		if j.status == in.JobStatus && !slices.Contains(f.terminated, j.id) {
			ids = append(ids, j.id)
		}
	}
	skip := len(aws.ToString(in.NextToken))
	out := &batch.ListJobsOutput{}
	if skip < len(ids) {
		out.JobSummaryList = []batchtypes.JobSummary{{JobId: &ids[skip]}}
		if skip+1 < len(ids) {
			out.NextToken = aws.String(strings.Repeat("x", skip+1))
		}
	}
	return out, nil
}

func (f *fakes) DescribeJobs(_ context.Context, in *batch.DescribeJobsInput, _ ...func(*batch.Options)) (*batch.DescribeJobsOutput, error) {
	if err := f.fail["DescribeJobs"]; err != nil {
		return nil, err
	}
	out := &batch.DescribeJobsOutput{}
	for _, j := range f.jobs {
		if slices.Contains(in.Jobs, j.id) {
			detail := batchtypes.JobDetail{JobId: aws.String(j.id)}
			if j.study != "" {
				detail.Container = &batchtypes.ContainerDetail{Environment: []batchtypes.KeyValuePair{
					{Name: aws.String("SUPERMAX_STAGE"), Value: aws.String("A")}, {Name: aws.String("SUPERMAX_STUDY"), Value: aws.String(j.study)}}}
			}
			out.Jobs = append(out.Jobs, detail)
		}
	}
	return out, nil
}

func (f *fakes) TerminateJob(_ context.Context, in *batch.TerminateJobInput, _ ...func(*batch.Options)) (*batch.TerminateJobOutput, error) {
	if err := f.fail["TerminateJob"]; err != nil {
		return nil, err
	}
	f.terminated = append(f.terminated, aws.ToString(in.JobId))
	return &batch.TerminateJobOutput{}, nil
}

func TestStop(t *testing.T) {
	w := newWorld(t)
	w.aws.walks = false
	e := w.start(Options{})
	// The create function has run.
	if _, err := w.service.Start(t.Context(), e.Request); err != nil {
		t.Fatal(err)
	}
	w.aws.jobs = []job{{"one", "small", batchtypes.JobStatusRunning}, {"two", "small", batchtypes.JobStatusPending}, {"three", "small", batchtypes.JobStatusRunning},
		{"other", "small-evidence", batchtypes.JobStatusRunning}, {"plain", "", batchtypes.JobStatusRunning}, {"ended", "small", batchtypes.JobStatusSucceeded}}
	w.said = nil
	if finished, err := w.Stop(t.Context(), "small", w.messages().Say); err != nil || finished {
		t.Fatal(finished, err)
	}
	slices.Sort(w.aws.terminated)
	if !slices.Equal(w.aws.terminated, []string{"one", "three", "two"}) {
		t.Errorf("terminated %v", w.aws.terminated)
	}
	state, err := w.service.State(t.Context(), "small")
	if err != nil || state.Stopped() != study.StoppedByUser {
		t.Errorf("the study is not stopped: %v", err)
	}
	if n := w.aws.called("stop arn:small-"); n != 1 {
		t.Errorf("%d executions were stopped", n)
	}
	if got := strings.Join(w.said, "\n"); !strings.Contains(got, "small gives out no more work; 0 slots hold some") || !strings.Contains(got, "3 jobs are ending") {
		t.Errorf("said %q", got)
	}
	end, err := w.Follow(t.Context(), e, quiet)
	if err != nil || end.Err() == nil || !strings.Contains(end.Err().Error(), "was stopped; supermax resume small --aws") {
		t.Errorf("the execution ended with %v, %v", end.Err(), err)
	}
	// Again: there is nothing to stop, and nothing is wrong with that.
	if _, err := w.Stop(t.Context(), "small", func(string) {}); err != nil || w.aws.called("stop arn:small-") != 1 {
		t.Errorf("again: %v", err)
	}
}

// An execution that walks other studies too goes on with them.
func TestStopOneOfTwo(t *testing.T) {
	w := newWorld(t)
	w.aws.walks = false
	w.start(Options{})
	if _, err := w.service.Start(t.Context(), protocol.StartRequest{SchemaVersion: 1, Study: "small"}); err != nil {
		t.Fatal(err)
	}
	w.aws.end(slices.Collect(keys(w.aws.executions))[0], "SUCCEEDED")
	w.aws.foreign("by-hand", `{"schema_version":1,"study":"small","agents":["criteria","evidence"]}`)
	w.said = nil
	if finished, err := w.Stop(t.Context(), "small", w.messages().Say); err != nil || finished {
		t.Fatal(finished, err)
	}
	if w.aws.called("stop arn:by-hand") != 0 || !strings.Contains(strings.Join(w.said, "\n"), "execution by-hand goes on with its other studies: [small-evidence]") {
		t.Errorf("said %q", w.said)
	}
}

// A study at its end has nothing to stop, and is left alone.
func TestStopFinished(t *testing.T) {
	w := newWorld(t)
	if end, err := w.Follow(t.Context(), w.start(Options{}), quiet); err != nil || end.Err() != nil {
		t.Fatal(err, end)
	}
	w.said = nil
	finished, err := w.Stop(t.Context(), "small", w.messages().Say)
	if err != nil || !finished || len(w.said) > 0 || w.aws.called("invoke") > 0 {
		t.Errorf("finished %v, error %v, said %q", finished, err, w.said)
	}
}

func TestStopRefused(t *testing.T) {
	w := newWorld(t)
	for name, want := range map[string]string{"none": "stop: ", "../x": "study name"} {
		if _, err := w.Stop(t.Context(), name, func(string) {}); !errors.Is(err, mistake.Err) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
}
