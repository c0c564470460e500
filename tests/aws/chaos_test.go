package aws

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/batch"
	"github.com/aws/aws-sdk-go-v2/service/batch/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/google/go-cmp/cmp"

	"github.com/supermax-hpo/supermax/lambdas/handler"
	"github.com/supermax-hpo/supermax/shared/config"
	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/store"
	"github.com/supermax-hpo/supermax/shared/store/dynamo"
)

// A disaster is what happens to a study while it runs. It is called about twice a second
// and returns what is still missing for the test to mean anything; empty when it has done
// its worst.
type disaster struct {
	name    string
	trials  int                             // of stage A
	slots   int                             // 0: two
	faults  string                          // set before the start
	happen  func() string                   // may be nil
	counted func(m map[string]float64) bool // whether the faults that were asked for happened
}

// TestChaos runs the same small study again and again, each time under another disaster.
// Every execution ends SUCCEEDED with the trials of a calm one, each epoch once.
func TestChaos(t *testing.T) {
	s := open(t)
	if os.Getenv("SUPERMAX_CHAOS") == "" {
		t.Skip("SUPERMAX_CHAOS is not set; `make chaos` sets it")
	}
	e := &engine{stack: s, admin: os.Getenv("AWS_ENDPOINT_URL") + "/_supermax/"}
	if _, refused := s.invoke("CreateFunction", `{"schema_version":1,"study":"quickstart"}`); refused != "" {
		t.Fatal(refused) // it brings the sample into the data bucket
	}
	for _, d := range e.disasters() {
		t.Run(d.name, func(t *testing.T) { e.survive(t, d) })
	}
}

// engine makes disasters through the emulator's launcher.
type engine struct {
	*stack
	admin string
	arn   string // of the execution under way
	input string
}

func (e *engine) disasters() []disaster {
	kills, last := 0, time.Time{}
	terminated, aborted, frozen := false, false, time.Time{}
	var pids []int
	return []disaster{
		{name: "calm", trials: 6},
		// So many trials that a fast machine is not done with them before the last kill.
		{name: "trainers-killed", trials: 120, happen: func() string {
			if kills < 20 && time.Since(last) > time.Duration(300+rand.IntN(1200))*time.Millisecond {
				kills += len(e.kill("KILL", 1))
				last = time.Now()
			}
			if kills < 20 {
				return fmt.Sprintf("only %d of 20 trainers were killed", kills)
			}
			return ""
		}},
		{name: "job-terminated", trials: 10, happen: func() string {
			if !terminated && e.reported() >= 3 {
				terminated = e.terminateJob()
			}
			if !terminated {
				return "no job was terminated"
			}
			return ""
		}},
		{name: "lambda-failing", trials: 6, faults: `{"rules":[{"service":"lambda","fault":"before","share":0.1},{"service":"lambda","fault":"after","share":0.1}]}`, counted: some("lambda")},
		{name: "dynamodb-throttling", trials: 6, faults: `{"rules":[{"service":"dynamodb","fault":"throughput","share":0.2},{"service":"dynamodb","fault":"after","share":0.05}]}`, counted: some("dynamodb")},
		{name: "s3-failing", trials: 6, faults: `{"rules":[{"service":"s3","fault":"before","share":0.1},{"service":"s3","fault":"slow","share":0.1},{"service":"s3","fault":"truncate","share":0.05}]}`, counted: some("s3")},
		{name: "execution-aborted", trials: 10, happen: func() string {
			if !aborted && e.reported() >= 3 {
				aborted = true
				e.abort()
			}
			if !aborted {
				return "the execution was not aborted"
			}
			return ""
		}},
		{name: "lease-runs-out", trials: 10, happen: func() string {
			switch {
			case pids == nil && e.reported() >= 2:
				pids, frozen = e.kill("STOP", 1), time.Now()
			case pids != nil && !frozen.IsZero() && time.Since(frozen) > (leaseSeconds+3)*time.Second:
				e.wake()
				frozen = time.Time{}
			}
			if pids == nil || !frozen.IsZero() {
				return "no trainer was frozen beyond its lease"
			}
			return ""
		}},
	}
}

const leaseSeconds = 6

// survive runs the study under one disaster.
func (e *engine) survive(t *testing.T, d disaster) {
	e.t = t
	name := "chaos-" + d.name
	e.define(name, d.trials)
	e.faults(d.faults)
	defer e.faults("")
	slots := d.slots
	if slots == 0 {
		slots = 2
	}
	e.input = fmt.Sprintf(`{"schema_version":1,"study":%q,"slots":%d}`, name, slots)
	e.arn = e.start(e.input)
	t.Cleanup(func() { // when it fails; an execution that has ended stays as it is
		_, _ = e.states.StopExecution(context.WithoutCancel(t.Context()), &sfn.StopExecutionInput{ExecutionArn: &e.arn})
	})
	missing := ""
	for {
		arn := e.arn
		e.wait(arn, 8*time.Minute, func() {
			if d.happen != nil {
				missing = d.happen()
			}
		})
		if e.arn == arn { // otherwise it was aborted and another one follows
			break
		}
	}
	counts := e.injected()
	e.faults("")
	e.succeeded(e.arn, time.Second, nil)
	if missing != "" {
		t.Errorf("the test proves nothing: %s", missing)
	}
	if d.counted != nil && !d.counted(counts) {
		t.Errorf("the test proves nothing: the faults that happened are %v", counts)
	}
	want := map[protocol.Stage][]int{protocol.StageA: {}, protocol.StageB: {}, protocol.StageC: {}}
	n := 0
	for _, part := range []struct {
		stage protocol.Stage
		count int
	}{{protocol.StageA, d.trials}, {protocol.StageB, 4}, {protocol.StageC, 2}} {
		for range part.count {
			want[part.stage] = append(want[part.stage], n)
			n++
		}
	}
	got := map[protocol.Stage][]int{}
	for _, stage := range protocol.Stages() {
		got[stage] = []int{}
		for _, trial := range e.state(name).Trials(stage) {
			if _, ok := trial.Value(); ok {
				got[stage] = append(got[stage], trial.Number)
			}
		}
		slices.Sort(got[stage])
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the trials that finished (-calm +%s):\n%s", d.name, diff)
	}
	e.checkAccounts(t, name)
	t.Logf("faults: %v", counts)
}

// define writes the definition of a study that takes seconds: the bundled one, but small.
func (e *engine) define(name string, trials int) {
	e.t.Helper()
	data, err := e.data.Read(e.t.Context(), "definitions/quickstart.json")
	if err != nil {
		e.t.Fatal(err)
	}
	c, err := config.FromJSON(data)
	if err != nil {
		e.t.Fatal(err)
	}
	c.Name, c.Corpus.MaxPosts, c.LeaseSeconds = name, 80, leaseSeconds
	rungs := config.Rungs{Min: 1, Max: 4, Factor: 2}
	c.Stages.A = config.Search{Trials: trials, Epochs: 4, Rungs: rungs, Seeds: []int64{1}, Sampler: "tpe", Export: 3}
	c.Stages.B = config.Search{Trials: 4, Epochs: 4, Rungs: rungs, Seeds: []int64{1}, Sampler: "nsga2", Enqueue: 2, Export: 3}
	c.Stages.C = config.Confirm{Candidates: 1, Folds: 2, Seeds: []int64{1}, FoldSeed: 42, Epochs: 2}
	if data, err = c.JSON(); err != nil {
		e.t.Fatal(err)
	}
	if err := e.data.Write(e.t.Context(), "definitions/"+name+".json", data); err != nil {
		e.t.Fatal(err)
	}
}

// reported counts the study's reports so far.
func (e *engine) reported() int {
	var input struct{ Study string }
	if err := json.Unmarshal([]byte(e.input), &input); err != nil {
		e.t.Fatal(err)
	}
	log := dynamo.Open(dynamodb.NewFromConfig(e.config), e.output("TableName"))
	st, err := (&handler.Service{Log: log}).State(e.t.Context(), input.Study)
	if errors.Is(err, store.ErrNotFound) {
		return 0 // its first state has not ended
	}
	if err != nil {
		e.t.Fatal(err)
	}
	n := 0
	for _, stage := range protocol.Stages() {
		for _, trial := range st.Trials(stage) {
			n += len(trial.Reports)
		}
	}
	return n
}

// terminateJob terminates the running array job as an operator would.
func (e *engine) terminateJob() bool {
	e.t.Helper()
	client := batch.NewFromConfig(e.config)
	jobs, err := client.ListJobs(e.t.Context(), &batch.ListJobsInput{JobQueue: aws.String(e.output("JobQueueArn")), JobStatus: types.JobStatusPending})
	if err != nil {
		e.t.Fatal(err)
	}
	running, err := client.ListJobs(e.t.Context(), &batch.ListJobsInput{JobQueue: aws.String(e.output("JobQueueArn")), JobStatus: types.JobStatusRunning})
	if err != nil {
		e.t.Fatal(err)
	}
	found := slices.Concat(jobs.JobSummaryList, running.JobSummaryList) // an array's parent is PENDING while its children run
	if len(found) == 0 {
		return false
	}
	if _, err := client.TerminateJob(e.t.Context(), &batch.TerminateJobInput{JobId: found[0].JobId, Reason: aws.String("chaos")}); err != nil {
		e.t.Fatal(err)
	}
	return true
}

// abort stops the execution and starts another one with the same input.
func (e *engine) abort() {
	e.t.Helper()
	if _, err := e.states.StopExecution(e.t.Context(), &sfn.StopExecutionInput{ExecutionArn: &e.arn, Cause: aws.String("chaos")}); err != nil {
		e.t.Fatal(err)
	}
	e.arn = e.start(e.input)
}

// kill sends a signal to trainers chosen by chance and returns their process ids.
func (e *engine) kill(signal string, count int) []int {
	var reply struct {
		PIDs []int `json:"pids"`
	}
	e.post("kill", fmt.Sprintf(`{"count":%d,"signal":%q}`, count, signal), &reply)
	return reply.PIDs
}

// wake lets all frozen trainers go on.
func (e *engine) wake() { e.post("kill", `{"count":1000,"signal":"CONT"}`, nil) }

// faults sets the faults that the emulator injects from now on; none when empty.
func (e *engine) faults(text string) {
	if text == "" {
		text = "{}"
	}
	e.post("faults", text, nil)
}

// injected returns how many faults of each kind happened since they were set.
func (e *engine) injected() map[string]float64 {
	e.t.Helper()
	resp, err := http.Get(e.admin + "faults")
	if err != nil {
		e.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var reply struct {
		Injected map[string]float64 `json:"injected"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&reply); err != nil {
		e.t.Fatal(err)
	}
	return reply.Injected
}

func (e *engine) post(path, body string, reply any) {
	e.t.Helper()
	resp, err := http.Post(e.admin+path, "application/json", strings.NewReader(body))
	if err != nil {
		e.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		e.t.Fatalf("POST %s%s: %s %v %s", e.admin, path, resp.Status, err, data)
	}
	if reply != nil {
		if err := json.NewDecoder(bytes.NewReader(data)).Decode(reply); err != nil {
			e.t.Fatal(err)
		}
	}
}

// some says that faults of a service happened.
func some(service string) func(map[string]float64) bool {
	return func(m map[string]float64) bool {
		for kind, n := range m {
			if strings.HasPrefix(kind, service) && n > 0 {
				return true
			}
		}
		return false
	}
}
