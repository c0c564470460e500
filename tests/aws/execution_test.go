package aws

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
)

// start starts an execution with this input and returns its ARN.
func (s *stack) start(input string) string {
	s.t.Helper()
	out, err := s.states.StartExecution(s.t.Context(), &sfn.StartExecutionInput{
		StateMachineArn: aws.String(s.output("StateMachineArn")),
		Name:            aws.String("test-" + strings.ToLower(rand.Text()[:12])),
		Input:           &input,
	})
	if err != nil {
		s.t.Fatalf("start an execution: %v", err)
	}
	return aws.ToString(out.ExecutionArn)
}

// look returns how far an execution is.
func (s *stack) look(arn string) *sfn.DescribeExecutionOutput {
	s.t.Helper()
	out, err := s.states.DescribeExecution(context.WithoutCancel(s.t.Context()), &sfn.DescribeExecutionInput{ExecutionArn: &arn})
	if err != nil {
		s.t.Fatalf("describe the execution: %v", err)
	}
	return out
}

// wait waits for an execution to end; meanwhile is called about twice a second.
func (s *stack) wait(arn string, limit time.Duration, meanwhile func()) *sfn.DescribeExecutionOutput {
	s.t.Helper()
	for end := time.Now().Add(limit); ; time.Sleep(500 * time.Millisecond) {
		out := s.look(arn)
		if out.Status != types.ExecutionStatusRunning {
			return out
		}
		if time.Now().After(end) {
			s.t.Fatalf("the execution still runs after %s; its last events:\n%s", limit, s.story(arn))
		}
		if meanwhile != nil {
			meanwhile()
		}
	}
}

// succeeded waits for an execution that must succeed.
func (s *stack) succeeded(arn string, limit time.Duration, meanwhile func()) {
	s.t.Helper()
	if out := s.wait(arn, limit, meanwhile); out.Status != types.ExecutionStatusSucceeded {
		s.t.Fatalf("the execution ended %s: %s %s\n%s", out.Status, aws.ToString(out.Error), short(aws.ToString(out.Cause)), s.story(arn))
	}
}

// story is the end of an execution's history, newest first.
func (s *stack) story(arn string) string {
	out, err := s.states.GetExecutionHistory(context.WithoutCancel(s.t.Context()), &sfn.GetExecutionHistoryInput{
		ExecutionArn: &arn, ReverseOrder: true, MaxResults: 25,
	})
	if err != nil {
		return err.Error()
	}
	var b strings.Builder
	for _, e := range out.Events {
		fmt.Fprintf(&b, "%s %s", e.Timestamp.Format(time.TimeOnly), e.Type)
		switch {
		case e.StateEnteredEventDetails != nil:
			fmt.Fprintf(&b, " %s", aws.ToString(e.StateEnteredEventDetails.Name))
		case e.TaskFailedEventDetails != nil:
			fmt.Fprintf(&b, " %s %.500s", aws.ToString(e.TaskFailedEventDetails.Error), aws.ToString(e.TaskFailedEventDetails.Cause))
		case e.ExecutionFailedEventDetails != nil:
			fmt.Fprintf(&b, " %s %.500s", aws.ToString(e.ExecutionFailedEventDetails.Error), aws.ToString(e.ExecutionFailedEventDetails.Cause))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// transitions counts the state transitions of an execution: what Step Functions bills.
func (s *stack) transitions(arn string) int {
	s.t.Helper()
	n := 0
	pages := sfn.NewGetExecutionHistoryPaginator(s.states, &sfn.GetExecutionHistoryInput{ExecutionArn: &arn, MaxResults: 1000})
	for pages.HasMorePages() {
		page, err := pages.NextPage(s.t.Context())
		if err != nil {
			s.t.Fatal(err)
		}
		for _, e := range page.Events {
			if strings.HasSuffix(string(e.Type), "StateEntered") {
				n++
			}
		}
	}
	return n
}
