package workflow

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/batch"
	batchtypes "github.com/aws/aws-sdk-go-v2/service/batch/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"github.com/supermax-hpo/supermax/tests/emulator"
)

// A runner has the definition on the emulator, without its waits. Its functions are
// answered here, by the study's name; its jobs succeed, unless the study is crashing or
// stuck.
type runner struct {
	sfn     *sfn.Client
	batch   *batch.Client
	queue   string
	machine string

	mu   sync.Mutex
	seen map[string][]string // calls by study
}

func newRunner(t *testing.T) *runner {
	t.Helper()
	cfg := emulator.Config(t)
	if emulator.Endpoint(t) == "" {
		t.Skip("the functions are answered by this process, which a real account does not reach")
	}
	if testing.Short() {
		t.Skip("executions take seconds")
	}
	r := &runner{sfn: sfn.NewFromConfig(cfg), batch: batch.NewFromConfig(cfg), seen: map[string][]string{}}
	name := fmt.Sprintf("infra-%s-%d", strings.ToLower(t.Name()), time.Now().UnixNano())
	server := httptest.NewServer(http.HandlerFunc(r.answer))
	t.Cleanup(server.Close)

	places := map[string]string{}
	r.makeFunctions(t, lambda.NewFromConfig(cfg), name, server.URL, places)
	r.makeQueue(t, name, places)
	definition := withoutWaits(t)
	for place, value := range places {
		definition = strings.ReplaceAll(definition, "${"+place+"}", value)
	}
	made, err := r.sfn.CreateStateMachine(t.Context(), &sfn.CreateStateMachineInput{
		Name: &name, Definition: &definition, RoleArn: aws.String("arn:aws:iam::000000000000:role/none"),
	})
	if err != nil {
		t.Fatal(err)
	}
	r.machine = *made.StateMachineArn
	t.Cleanup(func() {
		_, _ = r.sfn.DeleteStateMachine(context.Background(), &sfn.DeleteStateMachineInput{StateMachineArn: &r.machine})
	})
	return r
}

// withoutWaits returns the definition with waits of no time. Their length is arithmetic:
// 15 s, doubled, 300 s at most.
func withoutWaits(t *testing.T) string {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(Definition), &m); err != nil {
		t.Fatal(err)
	}
	var cut func(states map[string]any)
	cut = func(states map[string]any) {
		for _, v := range states {
			s := v.(map[string]any)
			if s["Type"] == "Wait" {
				s["Seconds"] = 0
			}
			if p, ok := s["ItemProcessor"].(map[string]any); ok {
				cut(p["States"].(map[string]any))
			}
		}
	}
	cut(m["States"].(map[string]any))
	text, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func (r *runner) makeFunctions(t *testing.T, client *lambda.Client, name, url string, places map[string]string) {
	t.Helper()
	code := proxyZip(t)
	for _, step := range steps {
		function := name + "-" + strings.ToLower(step)
		made, err := client.CreateFunction(t.Context(), &lambda.CreateFunctionInput{
			FunctionName: &function, Runtime: lambdatypes.RuntimeProvidedal2023, Handler: aws.String("bootstrap"),
			Role: aws.String("arn:aws:iam::000000000000:role/none"), Code: &lambdatypes.FunctionCode{ZipFile: code},
			Environment: &lambdatypes.Environment{Variables: map[string]string{"TEST_URL": url + "/" + step}},
		})
		if err != nil {
			t.Fatal(err)
		}
		places[step+"Function"] = *made.FunctionArn
		t.Cleanup(func() {
			_, _ = client.DeleteFunction(context.Background(), &lambda.DeleteFunctionInput{FunctionName: &function})
		})
	}
}

func proxyZip(t *testing.T) []byte {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "bootstrap")
	build := exec.Command("go", "build", "-tags", "lambda.norpc", "-o", binary, "./testdata/proxy")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOARCH="+runtime.GOARCH)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	data, err := os.ReadFile(binary)
	if err != nil {
		t.Fatal(err)
	}
	var archive bytes.Buffer
	z := zip.NewWriter(&archive)
	header := &zip.FileHeader{Name: "bootstrap", Method: zip.Deflate}
	header.SetMode(0o755)
	w, err := z.CreateHeader(header)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return archive.Bytes()
}

func (r *runner) makeQueue(t *testing.T, name string, places map[string]string) {
	t.Helper()
	ctx := t.Context()
	environment, err := r.batch.CreateComputeEnvironment(ctx, &batch.CreateComputeEnvironmentInput{
		ComputeEnvironmentName: &name, Type: batchtypes.CETypeManaged,
		ComputeResources: &batchtypes.ComputeResource{
			Type: batchtypes.CRTypeEc2, MinvCpus: aws.Int32(0), MaxvCpus: aws.Int32(16), InstanceTypes: []string{"g5.xlarge"},
			Subnets: []string{"subnet-12345678"}, SecurityGroupIds: []string{"sg-12345678"}, InstanceRole: aws.String("arn:aws:iam::000000000000:instance-profile/none"),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	queue, err := r.batch.CreateJobQueue(ctx, &batch.CreateJobQueueInput{
		JobQueueName: &name, Priority: aws.Int32(1),
		ComputeEnvironmentOrder: []batchtypes.ComputeEnvironmentOrder{{Order: aws.Int32(1), ComputeEnvironment: environment.ComputeEnvironmentArn}},
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.batch.RegisterJobDefinition(ctx, &batch.RegisterJobDefinitionInput{
		JobDefinitionName: &name, Type: batchtypes.JobDefinitionTypeContainer,
		ContainerProperties: &batchtypes.ContainerProperties{
			Image:   aws.String("none"),
			Command: []string{"sh", "-c", `case "$SUPERMAX_STUDY $SUPERMAX_STAGE" in crashing*|stuck*) exit 1;; esac`},
			ResourceRequirements: []batchtypes.ResourceRequirement{
				{Type: batchtypes.ResourceTypeVcpu, Value: aws.String("1")}, {Type: batchtypes.ResourceTypeMemory, Value: aws.String("64")},
			},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	r.queue, places["JobQueue"], places["JobDefinition"] = *queue.JobQueueArn, *queue.JobQueueArn, name
}

// answer is the functions.
func (r *runner) answer(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	var in struct {
		Refuse  string          `json:"refuse"`
		Studies json.RawMessage `json:"studies"`
		Study   string          `json:"study"`
		Stage   string          `json:"stage"`
	}
	if err != nil || json.Unmarshal(body, &in) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	call := strings.TrimSpace(strings.TrimPrefix(req.URL.Path, "/") + " " + in.Stage)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen[in.Study] = append(r.seen[in.Study], call)
	times := len(slices.DeleteFunc(slices.Clone(r.seen[in.Study]), func(c string) bool { return c != call }))
	refuse := func(kind, sentence string) {
		w.Header().Set("Error-Type", kind)
		_, _ = io.WriteString(w, sentence)
	}
	switch {
	case in.Refuse != "":
		refuse("Invalid", in.Refuse)
	case call == "Create":
		_, _ = fmt.Fprintf(w, `{"schema_version":1,"studies":%s}`, in.Studies)
	case in.Study == "busy" && call == "Plan A" && times == 1, in.Study == "busy" && call == "Check A" && times == 2:
		refuse("Unavailable", "try again")
	case in.Study == "conflicting" && call == "Aggregate A":
		refuse("Conflict", "the stage is not done")
	case strings.HasPrefix(call, "Check"):
		_ = json.NewEncoder(w).Encode(check(in.Study, times))
	default:
		_, _ = io.WriteString(w, `{"schema_version":1}`)
	}
}

// check answers the nth look at a stage.
func check(study string, n int) map[string]any {
	switch study {
	case "stuck":
		return map[string]any{"done": false, "progress": 3}
	case "stopped":
		if n < 3 {
			return map[string]any{"done": false, "draining": true, "progress": 0}
		}
		return map[string]any{"done": false, "stopped": "budget", "progress": 0}
	}
	return map[string]any{"done": n > 1, "progress": n}
}

func (r *runner) calls(study string) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.seen[study])
}

// jobs returns the array sizes of the queue's jobs by name, 0 for a plain one.
func (r *runner) jobs(t *testing.T) map[string]int {
	t.Helper()
	sizes := map[string]int{}
	for _, status := range []batchtypes.JobStatus{batchtypes.JobStatusSucceeded, batchtypes.JobStatusFailed, batchtypes.JobStatusRunning} {
		list, err := r.batch.ListJobs(t.Context(), &batch.ListJobsInput{JobQueue: &r.queue, JobStatus: status})
		if err != nil {
			t.Fatal(err)
		}
		for _, job := range list.JobSummaryList {
			size := 0
			if job.ArrayProperties != nil {
				size = int(aws.ToInt32(job.ArrayProperties.Size))
			}
			sizes[*job.JobName] = size
		}
	}
	return sizes
}

// patience is how long an execution may take.
const patience = 2 * time.Minute

type ending struct{ status, err, cause, output string }

func (r *runner) execute(t *testing.T, input any) ending {
	t.Helper()
	text, err := json.Marshal(input)
	if err != nil {
		t.Fatal(err)
	}
	started, err := r.sfn.StartExecution(t.Context(), &sfn.StartExecutionInput{StateMachineArn: &r.machine, Input: aws.String(string(text))})
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		e, err := r.sfn.DescribeExecution(t.Context(), &sfn.DescribeExecutionInput{ExecutionArn: started.ExecutionArn})
		if err != nil {
			t.Fatal(err)
		}
		if e.Status != "RUNNING" {
			return ending{string(e.Status), aws.ToString(e.Error), aws.ToString(e.Cause), aws.ToString(e.Output)}
		}
	}
	t.Fatalf("the execution still runs after %v", patience)
	return ending{}
}
