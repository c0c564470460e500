package aws

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/supermax-hpo/supermax/lambdas/handler"
	"github.com/supermax-hpo/supermax/shared/config"
	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/store/dynamo"
	"github.com/supermax-hpo/supermax/shared/study"
)

// TestBenchAsk calls ask of a study with 1,000 trials and an empty function in turn, both
// warm, and prints what ask takes above the empty one.
func TestBenchAsk(t *testing.T) {
	s := open(t)
	if os.Getenv("SUPERMAX_BENCH") == "" {
		t.Skip("SUPERMAX_BENCH is not set; `make bench-ask` sets it")
	}
	const calls, trials = 150, 1000
	name := fmt.Sprintf("bench-ask-%d", time.Now().Unix())
	s.seed(name, trials)
	empty := s.emptyFunction()
	ask := func(n int) {
		reply, refused := s.invoke("AskFunction", fmt.Sprintf(
			`{"schema_version":1,"study":%q,"stage":"A","slot":"bench-%d","device":{"name":"cpu","memory_bytes":0},"attempt_token":1}`, name, n))
		if refused != "" || !bytes.Contains(reply, []byte(`"work"`)) {
			t.Fatalf("ask: %s %s", reply, refused)
		}
	}
	for n := range 5 { // both get warm
		ask(n)
		s.callEmpty(empty)
	}
	var asks, empties []time.Duration
	for n := range calls {
		began := time.Now()
		s.callEmpty(empty)
		middle := time.Now()
		ask(100 + n)
		empties, asks = append(empties, middle.Sub(began)), append(asks, time.Since(middle))
	}
	above := func(q float64) time.Duration { return quantile(asks, q) - quantile(empties, q) }
	for _, q := range []float64{0.5, 0.99} {
		fmt.Printf("bench ask-%d-p%.0f ours=%.1fms empty=%.1fms above=%.1fms\n", trials, 100*q,
			ms(quantile(asks, q)), ms(quantile(empties, q)), ms(above(q)))
	}
	if p50, p99 := above(0.5), above(0.99); p50 > 30*time.Millisecond || p99 > 100*time.Millisecond {
		t.Errorf("ask takes %s (p50) and %s (p99) above an empty function; the goals are 30 ms and 100 ms", p50, p99)
	}
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// quantile returns the smallest value that a share q of the values does not exceed.
func quantile(values []time.Duration, q float64) time.Duration {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
}

// encode writes events as the log keeps them.
func encode(t *testing.T, events []study.Event) [][]byte {
	t.Helper()
	out := make([][]byte, len(events))
	for i, e := range events {
		var err error
		if out[i], err = json.Marshal(e); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// seed makes a study whose stage A holds so many trials, without calling the functions: its
// events are made here and copied to the table.
func (s *stack) seed(name string, trials int) {
	s.t.Helper()
	ctx := s.t.Context()
	c, err := config.Load("../../configs/study/full.yaml")
	if err != nil {
		s.t.Fatal(err)
	}
	c.Name, c.Stages.A.Trials = name, 2*trials
	settings := handler.Settings(c)
	st, events, err := study.New(time.Now(), settings)
	if err != nil {
		s.t.Fatal(err)
	}
	all := encode(s.t, events)
	do := func(events []study.Event, err error) {
		s.t.Helper()
		if err != nil {
			s.t.Fatal(err)
		}
		for _, e := range events {
			if err := st.Apply(e); err != nil {
				s.t.Fatal(err)
			}
		}
		all = append(all, encode(s.t, events)...)
	}
	_, events, err = st.Plan(time.Now(), protocol.StageRequest{SchemaVersion: protocol.Version, Study: name, Stage: protocol.StageA})
	do(events, err)
	for token := int64(1); len(st.Trials(protocol.StageA)) < trials; token++ {
		reply, events, err := st.Ask(time.Now(), protocol.AskRequest{SchemaVersion: protocol.Version, Study: name,
			Stage: protocol.StageA, Slot: "seed", Device: protocol.Device{Name: "cpu"}, Token: token})
		do(events, err)
		for work := reply.Work; work != nil; {
			tell, events, err := st.Tell(time.Now(), measured(name, *work))
			do(events, err)
			if tell.Kind != protocol.TellContinue {
				break
			}
			work.Rung, work.FromEpoch, work.ToEpoch = tell.Rung, tell.FromEpoch, tell.ToEpoch
		}
	}
	log := dynamo.Open(dynamodb.NewFromConfig(s.config), s.output("TableName"))
	seq := int64(0)
	for batch := range slices.Chunk(all, 50) {
		if err := log.Append(ctx, name, seq, batch); err != nil {
			s.t.Fatal(err)
		}
		seq += int64(len(batch))
	}
	snapshot, err := st.Snapshot()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := log.Compact(ctx, name, seq, snapshot); err != nil {
		s.t.Fatal(err)
	}
}

// measured is what a trainer would tell: a curve that depends on the trial alone.
func measured(name string, work protocol.Work) protocol.TellRequest {
	h := fnv.New32a()
	fmt.Fprint(h, work.Trial)
	best := 0.4 + 0.5*float64(h.Sum32()%1000)/1000
	var epochs []protocol.EpochMetrics
	for _, seed := range work.Seeds {
		for e := work.FromEpoch + 1; e <= work.ToEpoch; e++ {
			f1 := best * (1 - 0.5/float64(e))
			epochs = append(epochs, protocol.EpochMetrics{Seed: seed, Epoch: e, F1Macro: f1, ECE: 1 - f1, Accuracy: f1})
		}
	}
	return protocol.TellRequest{SchemaVersion: protocol.Version, Study: name, Trial: work.Trial, Attempt: work.Attempt, Rung: work.Rung,
		Outcome: protocol.Outcome{Epochs: epochs, CostSeconds: 60}}
}

// emptyFunction builds and creates the function that does nothing, beside ask: same
// runtime, same size of memory.
func (s *stack) emptyFunction() string {
	s.t.Helper()
	ctx := s.t.Context()
	config, err := s.lambdas.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: aws.String(s.output("AskFunction"))})
	if err != nil {
		s.t.Fatal(err)
	}
	arch := "amd64"
	if slices.Contains(config.Architectures, types.ArchitectureArm64) {
		arch = "arm64"
	}
	bootstrap := filepath.Join(s.t.TempDir(), "bootstrap")
	build := exec.CommandContext(ctx, "go", "build", "-tags", "lambda.norpc", "-o", bootstrap, "./empty")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch)
	if out, err := build.CombinedOutput(); err != nil {
		s.t.Fatalf("build the empty function: %v\n%s", err, out)
	}
	data, err := os.ReadFile(bootstrap)
	if err != nil {
		s.t.Fatal(err)
	}
	var archive bytes.Buffer
	w := zip.NewWriter(&archive)
	header := &zip.FileHeader{Name: "bootstrap", Method: zip.Deflate}
	header.SetMode(0o755)
	f, err := w.CreateHeader(header)
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := f.Write(data); err != nil {
		s.t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		s.t.Fatal(err)
	}
	name := fmt.Sprintf("supermax-empty-%d", time.Now().UnixNano())
	if _, err := s.lambdas.CreateFunction(ctx, &lambda.CreateFunctionInput{
		FunctionName: &name, Role: config.Role, Runtime: config.Runtime, Handler: aws.String("bootstrap"),
		Architectures: config.Architectures, MemorySize: config.MemorySize, Code: &types.FunctionCode{ZipFile: archive.Bytes()},
	}); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		_, err := s.lambdas.DeleteFunction(context.WithoutCancel(ctx), &lambda.DeleteFunctionInput{FunctionName: &name})
		if err != nil {
			s.t.Errorf("delete the empty function: %v", err)
		}
	})
	return name
}

func (s *stack) callEmpty(name string) {
	s.t.Helper()
	out, err := s.lambdas.Invoke(s.t.Context(), &lambda.InvokeInput{FunctionName: &name, Payload: []byte(`{}`)})
	if err != nil || out.FunctionError != nil {
		s.t.Fatalf("invoke the empty function: %v", err)
	}
}
