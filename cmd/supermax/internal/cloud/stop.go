package cloud

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/batch"
	batchtypes "github.com/aws/aws-sdk-go-v2/service/batch/types"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/supermax-hpo/supermax/cmd/supermax/internal/mistake"
	"github.com/supermax-hpo/supermax/shared/awscall"
	"github.com/supermax-hpo/supermax/shared/pause"
	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/store"
	"github.com/supermax-hpo/supermax/shared/study"
)

type executionStopper interface {
	StopExecution(context.Context, *sfn.StopExecutionInput, ...func(*sfn.Options)) (*sfn.StopExecutionOutput, error)
}

type jobLister interface {
	ListJobs(context.Context, *batch.ListJobsInput, ...func(*batch.Options)) (*batch.ListJobsOutput, error)
	DescribeJobs(context.Context, *batch.DescribeJobsInput, ...func(*batch.Options)) (*batch.DescribeJobsOutput, error)
}

type jobTerminator interface {
	TerminateJob(context.Context, *batch.TerminateJobInput, ...func(*batch.Options)) (*batch.TerminateJobOutput, error)
}

// stoppedReason is what executions and jobs say of how they ended.
const stoppedReason = "supermax stop"

// Stop ends a study's work until it is resumed: first the stop function, so that no slot
// gets new work; then its execution, unless that walks other studies too, which go on; and
// then its jobs, whose trainers give their trials back. say is told of each step. A study
// at its end has nothing to stop: finished says so, and nothing is done.
func (a *Account) Stop(ctx context.Context, name string, say func(string)) (finished bool, err error) {
	if err := store.CheckStudy(name); err != nil {
		return false, mistake.Wrap(err)
	}
	if finished, err := a.finished(ctx, []string{name}); finished || err != nil {
		return finished, err
	}
	executions, err := a.running(ctx, name)
	if err != nil {
		return false, err
	}
	reply, err := a.callStop(ctx, name)
	if err != nil {
		return false, err
	}
	say(fmt.Sprintf("study %s gives out no more work; %d slots hold some", name, len(reply.Slots)))
	for _, e := range executions {
		if len(e.Studies) > 1 {
			say(fmt.Sprintf("execution %s goes on with its other studies: %v", e.Name, others(e.Studies, name)))
			continue
		}
		_, err := a.steps.StopExecution(ctx, &sfn.StopExecutionInput{ExecutionArn: &e.ARN, Error: aws.String("Stopped"), Cause: aws.String(stoppedReason)})
		var gone *sfntypes.ExecutionDoesNotExist
		if err != nil && !errors.As(err, &gone) {
			return false, explain("stop execution "+e.Name, err)
		}
		say(fmt.Sprintf("execution %s is stopped", e.Name))
	}
	jobs, err := a.jobs(ctx, name)
	if err != nil {
		return false, err
	}
	for _, id := range jobs {
		if _, err := a.batch.TerminateJob(ctx, &batch.TerminateJobInput{JobId: &id, Reason: aws.String(stoppedReason)}); err != nil {
			return false, explain("terminate job "+id, err)
		}
	}
	if len(jobs) > 0 {
		say(fmt.Sprintf("%d jobs are ending; their trainers save where they are", len(jobs)))
	}
	return false, nil
}

func others(studies []string, name string) []string {
	return slices.DeleteFunc(slices.Clone(studies), func(s string) bool { return s == name })
}

// callStop calls the stop function. What it refuses is a mistake: a study that is not
// there, say.
func (a *Account) callStop(ctx context.Context, name string) (reply protocol.StopReply, err error) {
	body, err := json.Marshal(protocol.StopRequest{SchemaVersion: protocol.Version, Study: name, Reason: study.StoppedByUser})
	if err != nil {
		return reply, err
	}
	transport := &awscall.Lambda{Client: a.invoke, Functions: map[string]string{"stop": a.Stack.StopFunction}}
	const attempts = 8
	for attempt := 1; ; attempt++ {
		data, retry, err := transport.Call(ctx, "stop", body)
		if err == nil {
			if err := json.Unmarshal(data, &reply); err != nil {
				return reply, fmt.Errorf("stop study %s: read the reply: %w", name, err)
			}
			return reply, nil
		}
		var refused *protocol.Error
		if !retry && errors.As(err, &refused) {
			return reply, mistake.Wrap(err)
		}
		if !retry || attempt == attempts {
			return reply, explain("stop study "+name, err)
		}
		if err := pause.For(ctx, a.pause); err != nil {
			return reply, err
		}
	}
}

// jobs returns the study's Batch jobs that have not ended; of an array, the whole.
func (a *Account) jobs(ctx context.Context, name string) ([]string, error) {
	var ids []string
	for _, status := range []batchtypes.JobStatus{batchtypes.JobStatusSubmitted, batchtypes.JobStatusPending,
		batchtypes.JobStatusRunnable, batchtypes.JobStatusStarting, batchtypes.JobStatusRunning} {
		in := &batch.ListJobsInput{JobQueue: &a.Stack.JobQueue, JobStatus: status}
		for {
			page, err := a.batch.ListJobs(ctx, in)
			if err != nil {
				return nil, explain("list the jobs", err)
			}
			for _, job := range page.JobSummaryList {
				if id := aws.ToString(job.JobId); !slices.Contains(ids, id) {
					ids = append(ids, id)
				}
			}
			if in.NextToken = page.NextToken; in.NextToken == nil {
				break
			}
		}
	}
	var mine []string
	const most = 100 // that one call describes
	for some := range slices.Chunk(ids, most) {
		out, err := a.batch.DescribeJobs(ctx, &batch.DescribeJobsInput{Jobs: some})
		if err != nil {
			return nil, explain("read the jobs", err)
		}
		for _, job := range out.Jobs {
			if job.Container == nil {
				continue
			}
			for _, v := range job.Container.Environment {
				if aws.ToString(v.Name) == "SUPERMAX_STUDY" && aws.ToString(v.Value) == name {
					mine = append(mine, aws.ToString(job.JobId))
				}
			}
		}
	}
	return mine, nil
}
