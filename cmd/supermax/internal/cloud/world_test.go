package cloud

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/supermax-hpo/supermax/cmd/supermax/internal/trainertest"
	"github.com/supermax-hpo/supermax/lambdas/handler"
	"github.com/supermax-hpo/supermax/shared/config"
	"github.com/supermax-hpo/supermax/shared/objects"
	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/store/sqlite"
)

// world is an account whose services are in this process: the functions' own handlers on
// an SQLite file and two folders, and a state machine that walks the stages with trainers.
type world struct {
	*Account
	t      *testing.T
	file   string // a study file
	said   []string
	warned []string
	aws    *fakes
}

func newWorld(t *testing.T) *world {
	t.Helper()
	ctx := t.Context()
	open := func(dir string) bucketOpener {
		return func(ctx context.Context) (*objects.Bucket, error) { return objects.Open(ctx, objects.FileURL(dir)) }
	}
	data, results := t.TempDir(), t.TempDir()
	db, err := sqlite.Open(ctx, filepath.Join(t.TempDir(), "study.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	service := &handler.Service{Log: db, Clock: time.Now}
	for to, dir := range map[**objects.Bucket]string{&service.Objects: results, &service.Definitions: data} {
		if *to, err = objects.Open(ctx, objects.FileURL(dir)); err != nil {
			t.Fatal(err)
		}
	}
	f := &fakes{service: service, walks: true, quota: 64, executions: map[string]*walk{}}
	t.Cleanup(f.wait)
	w := &world{t: t, file: trainertest.File(t), aws: f}
	w.Account = &Account{
		Stack: Stack{Name: "Supermax", Data: "data", Results: "results", Table: "table", StateMachine: "machine", JobQueue: "queue",
			Image: "123456789012.dkr.ecr.eu-west-1.amazonaws.com/supermax:one", Workgroup: "group", Database: "db", StopFunction: "stop"},
		Region: "eu-west-1", service: service, state: f, results: open(results), data: open(data),
		clock: time.Now, poll: 5 * time.Millisecond, pause: time.Millisecond,
		athena: f, batch: f, images: f, items: f, invoke: f, quotas: f, versions: f, steps: f,
	}
	return w
}

func (w *world) messages() Messages {
	return Messages{Say: func(s string) { w.said = append(w.said, s) }, Warn: func(s string) { w.warned = append(w.warned, s) }}
}

// study is the study of the file, edited.
func (w *world) study(edit func(*config.Study)) *config.Study {
	w.t.Helper()
	c, err := config.Load(w.file)
	if err != nil {
		w.t.Fatal(err)
	}
	if edit != nil {
		edit(c)
	}
	return c
}

// start starts the study and fails the test if that is refused.
func (w *world) start(o Options) *Execution {
	w.t.Helper()
	e, err := w.Start(w.t.Context(), w.study(nil), o, w.messages())
	if err != nil {
		w.t.Fatal(err)
	}
	return e
}

// fakes are the services; each file's part of it stands in that file's test.
type fakes struct {
	service *handler.Service
	walks   bool // executions walk their stages; else they wait to be stopped

	mu         sync.Mutex
	going      sync.WaitGroup
	executions map[string]*walk
	calls      []string

	fail       map[string]error // by operation
	quota      float64          // of every kind
	quotaErr   error
	noQueue    bool
	imageErr   error
	imageAsked string
	jobs       []job
	terminated []string
	deleted    []string
	query      queryAnswer
	versions   map[string][]string // bucket → keys
	rows       int                 // items of the table
	busy       int                 // so many items of the next batch are left undone
}

func (f *fakes) wait() { f.going.Wait() }

func (f *fakes) note(format string, a ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, fmt.Sprintf(format, a...))
}

func (f *fakes) called(prefix string) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.calls {
		if strings.HasPrefix(c, prefix) {
			n++
		}
	}
	return n
}

// walk is one execution.
type walk struct {
	name, input, cause string
	status             types.ExecutionStatus
}

// StartExecution is as Step Functions does it: a name that runs with the same input is the
// same execution, one that was used is refused.
func (f *fakes) StartExecution(_ context.Context, in *sfn.StartExecutionInput, _ ...func(*sfn.Options)) (*sfn.StartExecutionOutput, error) {
	if err := f.fail["StartExecution"]; err != nil {
		return nil, err
	}
	name := aws.ToString(in.Name)
	f.note("start %s", name)
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(name) > 80 {
		return nil, &types.InvalidName{Message: aws.String("the name is longer than 80 characters")}
	}
	arn := "arn:" + name
	if e, ok := f.executions[arn]; ok {
		if e.status == types.ExecutionStatusRunning && e.input == aws.ToString(in.Input) {
			return &sfn.StartExecutionOutput{ExecutionArn: &arn}, nil
		}
		return nil, &types.ExecutionAlreadyExists{Message: aws.String("it is there")}
	}
	f.executions[arn] = &walk{name: name, input: aws.ToString(in.Input), status: types.ExecutionStatusRunning}
	if f.walks {
		f.going.Go(func() { f.run(arn, aws.ToString(in.Input)) })
	}
	return &sfn.StartExecutionOutput{ExecutionArn: &arn}, nil
}

// run walks an execution's studies through their stages.
func (f *fakes) run(arn, input string) {
	err := f.work(arn, input)
	f.mu.Lock()
	defer f.mu.Unlock()
	e := f.executions[arn]
	if e.status != types.ExecutionStatusRunning {
		return
	}
	e.status = types.ExecutionStatusSucceeded
	if err != nil {
		cause, _ := json.Marshal(map[string]string{"errorType": "Conflict", "errorMessage": err.Error()})
		e.status, e.cause = types.ExecutionStatusFailed, string(cause)
	}
}

func (f *fakes) work(arn, input string) error {
	ctx := context.Background()
	req, err := protocol.Decode[protocol.StartRequest](strings.NewReader(input))
	if err != nil {
		return err
	}
	reply, err := f.service.Start(ctx, req)
	if err != nil {
		return err
	}
	for _, started := range reply.Studies {
		data, err := f.service.Objects.Read(ctx, config.Key(started.Study))
		if err != nil {
			return err
		}
		c, err := config.FromJSON(data)
		if err != nil {
			return err
		}
		for _, stage := range protocol.Stages() {
			at := protocol.StageRequest{SchemaVersion: protocol.Version, Study: c.Name, Stage: stage}
			if _, err := f.service.Plan(ctx, at); err != nil {
				return err
			}
			trainer := trainertest.Trainer{Calls: f.service, Objects: f.service.Objects, Study: c, Mode: trainertest.Working}
			if err := trainer.Run(ctx, stage, arn+started.Study); err != nil {
				return err
			}
			check, err := f.service.Check(ctx, at)
			if err != nil {
				return err
			}
			if check.Stopped != "" {
				return nil
			}
			if _, err := f.service.Aggregate(ctx, at); err != nil {
				return err
			}
			if _, err := f.service.Promote(ctx, at); err != nil {
				return err
			}
		}
		if _, err := f.service.Finish(ctx, protocol.StudyRequest{SchemaVersion: protocol.Version, Study: c.Name}); err != nil {
			return err
		}
	}
	return nil
}

// ListExecutions gives one execution a page.
func (f *fakes) ListExecutions(_ context.Context, in *sfn.ListExecutionsInput, _ ...func(*sfn.Options)) (*sfn.ListExecutionsOutput, error) {
	if err := f.fail["ListExecutions"]; err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	var arns []string
	for arn, e := range f.executions {
		if e.status == in.StatusFilter {
			arns = append(arns, arn)
		}
	}
	slices.Sort(arns)
	skip := len(aws.ToString(in.NextToken))
	out := &sfn.ListExecutionsOutput{}
	if skip < len(arns) {
		out.Executions = []types.ExecutionListItem{{ExecutionArn: &arns[skip]}}
		if skip+1 < len(arns) {
			out.NextToken = aws.String(strings.Repeat("x", skip+1))
		}
	}
	return out, nil
}

func (f *fakes) DescribeExecution(_ context.Context, in *sfn.DescribeExecutionInput, _ ...func(*sfn.Options)) (*sfn.DescribeExecutionOutput, error) {
	if err := f.fail["DescribeExecution"]; err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	e, ok := f.executions[aws.ToString(in.ExecutionArn)]
	if !ok {
		return nil, &types.ExecutionDoesNotExist{Message: aws.String("there is none")}
	}
	out := &sfn.DescribeExecutionOutput{ExecutionArn: in.ExecutionArn, Name: aws.String(e.name), Input: aws.String(e.input), Status: e.status}
	if e.cause != "" {
		out.Error, out.Cause = aws.String("Conflict"), aws.String(e.cause)
	}
	return out, nil
}

func (f *fakes) StopExecution(_ context.Context, in *sfn.StopExecutionInput, _ ...func(*sfn.Options)) (*sfn.StopExecutionOutput, error) {
	if err := f.fail["StopExecution"]; err != nil {
		return nil, err
	}
	f.note("stop %s", aws.ToString(in.ExecutionArn))
	f.end(aws.ToString(in.ExecutionArn), types.ExecutionStatusAborted)
	return &sfn.StopExecutionOutput{}, nil
}

// end ends an execution from outside.
func (f *fakes) end(arn string, status types.ExecutionStatus) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.executions[arn].status = status
}

// foreign is an execution that somebody started by hand.
func (f *fakes) foreign(name, input string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.executions["arn:"+name] = &walk{name: name, input: input, status: types.ExecutionStatusRunning}
}
