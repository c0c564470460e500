package cloud

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/supermax-hpo/supermax/lambdas/handler"
	"github.com/supermax-hpo/supermax/shared/config"
	"github.com/supermax-hpo/supermax/shared/objects"
	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/store"
)

// An Execution is one walk of the state machine through the stages of its studies.
type Execution struct {
	ARN     string
	Name    string
	Status  types.ExecutionStatus
	Request protocol.StartRequest
	Studies []string // that it walks
	Failure string   // why it ended badly, in one line
}

// Running reports whether the execution has not ended.
func (e *Execution) Running() bool { return e.Status == types.ExecutionStatusRunning }

// Err says why an execution that has ended did not end well, and how to go on.
func (e *Execution) Err() error {
	again := "supermax resume STUDY --aws goes on with what there is"
	if len(e.Studies) > 0 {
		again = strings.Replace(again, "STUDY", e.Studies[0], 1)
	}
	switch {
	case e.Status == types.ExecutionStatusSucceeded:
		return nil
	case e.Status == types.ExecutionStatusAborted:
		return fmt.Errorf("execution %s was stopped; %s", e.Name, again)
	case e.Failure != "":
		return fmt.Errorf("execution %s ended as %s: %s; %s", e.Name, e.Status, e.Failure, again)
	}
	return fmt.Errorf("execution %s ended as %s; %s", e.Name, e.Status, again)
}

// runs reports whether the execution walks any of the studies.
func (e *Execution) runs(studies []string) bool {
	return slices.ContainsFunc(studies, func(s string) bool { return slices.Contains(e.Studies, s) })
}

type executionLister interface {
	ListExecutions(context.Context, *sfn.ListExecutionsInput, ...func(*sfn.Options)) (*sfn.ListExecutionsOutput, error)
	DescribeExecution(context.Context, *sfn.DescribeExecutionInput, ...func(*sfn.Options)) (*sfn.DescribeExecutionOutput, error)
}

// running returns the executions that walk any of the studies now. Their inputs say so:
// names are the choice of whoever started them.
func (a *Account) running(ctx context.Context, studies ...string) ([]*Execution, error) {
	var found []*Execution
	in := &sfn.ListExecutionsInput{StateMachineArn: &a.Stack.StateMachine, StatusFilter: types.ExecutionStatusRunning}
	for {
		page, err := a.steps.ListExecutions(ctx, in)
		if err != nil {
			return nil, explain("list the executions", err)
		}
		for _, item := range page.Executions {
			e, err := a.execution(ctx, aws.ToString(item.ExecutionArn))
			if err != nil {
				return nil, err
			}
			if e.Running() && e.runs(studies) {
				found = append(found, e)
			}
		}
		if in.NextToken = page.NextToken; in.NextToken == nil {
			return found, nil
		}
	}
}

// execution reads an execution.
func (a *Account) execution(ctx context.Context, arn string) (*Execution, error) {
	out, err := a.steps.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: &arn})
	if err != nil {
		return nil, explain("read the execution", err)
	}
	e := &Execution{ARN: arn, Name: aws.ToString(out.Name), Status: out.Status, Failure: failure(aws.ToString(out.Error), aws.ToString(out.Cause))}
	// An input that is none of ours starts no study: its first state refuses it.
	if json.Unmarshal([]byte(aws.ToString(out.Input)), &e.Request) == nil {
		if e.Studies, err = a.studiesOf(ctx, e.Request); err != nil {
			return nil, err
		}
	}
	return e, nil
}

// studiesOf returns the studies that a request starts: the definition's own agent keeps its
// name.
func (a *Account) studiesOf(ctx context.Context, req protocol.StartRequest) ([]string, error) {
	if len(req.Agents) == 0 {
		return []string{req.Study}, nil
	}
	own := ""
	c, err := a.definition(ctx, req.Study)
	switch {
	case err == nil:
		own = c.Agent
	case !errors.Is(err, objects.ErrNotFound):
		return nil, err
	}
	var studies []string
	for _, agent := range req.Agents {
		if agent == own {
			studies = append(studies, req.Study)
		} else {
			studies = append(studies, req.Study+"-"+agent)
		}
	}
	return studies, nil
}

// definition reads a definition from the data bucket, or returns [objects.ErrNotFound].
func (a *Account) definition(ctx context.Context, name string) (*config.Study, error) {
	if store.CheckStudy(name) != nil { // of an execution that somebody else started
		return nil, objects.ErrNotFound
	}
	bucket, err := a.data(ctx)
	if err != nil {
		return nil, explain("open the data", err)
	}
	defer bucket.Close()
	data, err := bucket.Read(ctx, handler.DefinitionKey(name))
	if err != nil {
		return nil, explain("read the definition of "+name, err)
	}
	c, err := config.FromJSON(data)
	if err != nil {
		return nil, fmt.Errorf("read the definition of %s: %w", name, err)
	}
	return c, nil
}

// failure says in one line why an execution ended badly. A function's error is JSON.
func failure(code, cause string) string {
	var lambda struct {
		Message string `json:"errorMessage"`
	}
	if json.Unmarshal([]byte(cause), &lambda) == nil && lambda.Message != "" {
		cause = lambda.Message
	}
	const longest = 600
	cause = oneLine(cause)
	if len(cause) > longest {
		cause = strings.ToValidUTF8(cause[:longest], "") + "…"
	}
	switch {
	case cause == "":
		return code
	case code == "":
		return cause
	}
	return code + ": " + cause
}
