package aws

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/google/go-cmp/cmp"

	"github.com/supermax-hpo/supermax/shared/config"
	"github.com/supermax-hpo/supermax/shared/store/dynamo"
)

// TestBadInput starts executions that must fail in their first state, with one sentence,
// and change nothing.
func TestBadInput(t *testing.T) {
	s := open(t)
	log := dynamo.Open(dynamodb.NewFromConfig(s.config), s.output("TableName"))
	studies := func() []string {
		names, err := log.Studies(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return names
	}
	s.otherDefinition()
	before := studies()
	for name, tt := range map[string]struct{ input, says string }{
		"not an object":         {`[1, 2]`, ""},
		"empty":                 {`{}`, "schema_version"},
		"no study":              {`{"schema_version":1}`, "study"},
		"unknown field":         {`{"schema_version":1,"study":"quickstart","slot":2}`, "slot"},
		"newer schema":          {`{"schema_version":99,"study":"quickstart"}`, "99"},
		"wrong type":            {`{"schema_version":1,"study":{"name":"quickstart"}}`, "study"},
		"path trick":            {`{"schema_version":1,"study":"../../etc/passwd"}`, "etc/passwd"},
		"absolute path":         {`{"schema_version":1,"study":"/quickstart"}`, "/quickstart"},
		"line break":            {`{"schema_version":1,"study":"quick\nstart"}`, "quick"},
		"no such study":         {`{"schema_version":1,"study":"nobody-has-this"}`, "nobody-has-this"},
		"unknown agent":         {`{"schema_version":1,"study":"quickstart","agents":["doctor"]}`, "doctor"},
		"agent twice":           {`{"schema_version":1,"study":"quickstart","agents":["criteria","criteria"]}`, "criteria"},
		"no slots":              {`{"schema_version":1,"study":"quickstart","slots":-1}`, "-1"},
		"too many slots":        {`{"schema_version":1,"study":"quickstart","slots":10001}`, "10001"},
		"negative budget":       {`{"schema_version":1,"study":"quickstart","budget_dollars":-5}`, "-5"},
		"budget without price":  {`{"schema_version":1,"study":"quickstart","budget_dollars":5}`, "price"},
		"long string":           {`{"schema_version":1,"study":"` + strings.Repeat("a", 200_000) + `"}`, "aaa"},
		"long agent":            {`{"schema_version":1,"study":"quickstart","agents":["` + strings.Repeat("x", 200_000) + `"]}`, "xxx"},
		"another configuration": {`{"schema_version":1,"study":"conflicting"}`, "conflicting"},
	} {
		t.Run(name, func(t *testing.T) {
			s.t = t
			began := time.Now()
			arn := s.start(tt.input)
			out := s.wait(arn, 20*time.Second, nil)
			if out.Status != types.ExecutionStatusFailed {
				t.Fatalf("the execution ended %s", out.Status)
			}
			cause := aws.ToString(out.Cause)
			if !strings.Contains(cause, tt.says) || len(cause) > 1000 || strings.Contains(strings.TrimSpace(cause), "\n") {
				t.Errorf("after %s: %s: %s\nwant one sentence with %q", time.Since(began), aws.ToString(out.Error), short(cause), tt.says)
			}
			if n := s.tasks(arn); n > 1 {
				t.Errorf("it came as far as %d tasks:\n%s", n, s.story(arn))
			}
		})
	}
	s.t = t
	if _, refused := s.invoke("CreateFunction", `{"schema_version":1,"study":"`+strings.Repeat("a", 1<<20)+`"}`); refused == "" || len(refused) > 1000 {
		t.Errorf("a megabyte: %s", short(refused))
	}
	if d := cmp.Diff(before, studies()); d != "" {
		t.Errorf("the refused executions changed the studies (-before +after):\n%s", d)
	}
}

// otherDefinition starts a study and then replaces its definition by another one.
func (s *stack) otherDefinition() {
	s.t.Helper()
	if _, refused := s.invoke("CreateFunction", `{"schema_version":1,"study":"quickstart"}`); refused != "" {
		s.t.Fatal(refused) // it brings the sample into the data bucket
	}
	write := func(trials int) {
		data, err := s.data.Read(s.t.Context(), "definitions/quickstart.json")
		if err != nil {
			s.t.Fatal(err)
		}
		c, err := config.FromJSON(data)
		if err != nil {
			s.t.Fatal(err)
		}
		c.Name, c.Stages.A.Trials = "conflicting", trials
		if data, err = c.JSON(); err != nil {
			s.t.Fatal(err)
		}
		if err := s.data.Write(s.t.Context(), "definitions/conflicting.json", data); err != nil {
			s.t.Fatal(err)
		}
	}
	write(10)
	if _, refused := s.invoke("CreateFunction", `{"schema_version":1,"study":"conflicting"}`); refused != "" {
		s.t.Fatal(refused)
	}
	write(11)
}

// tasks counts the tasks that an execution began, retries included.
func (s *stack) tasks(arn string) int {
	s.t.Helper()
	out, err := s.states.GetExecutionHistory(s.t.Context(), &sfn.GetExecutionHistoryInput{ExecutionArn: &arn, MaxResults: 1000})
	if err != nil {
		s.t.Fatal(err)
	}
	n := 0
	for _, e := range out.Events {
		if e.Type == types.HistoryEventTypeTaskScheduled || e.Type == types.HistoryEventTypeLambdaFunctionScheduled {
			n++
		}
	}
	return n
}
