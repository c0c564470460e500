package cli

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/supermax-hpo/supermax/cmd/supermax/internal/cloud"
	"github.com/supermax-hpo/supermax/shared/config"
)

// awsFlags say how a study is run on AWS.
type awsFlags struct {
	agents []string
	detach bool
}

func (f *awsFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringSliceVar(&f.agents, "agents", nil, "with --aws: one study for each of these agents: any of criteria, evidence, share, joint")
	f.addFollowing(cmd)
}

// addFollowing adds the flags for a command whose agents are known.
func (f *awsFlags) addFollowing(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.detach, "detach", false, "with --aws: do not follow the execution")
}

// awsOnly are the flags that mean something only with --aws.
var awsOnly = []string{"agents", "detach"}

// options checks the flags, with those that both homes have.
func (f *awsFlags) options(cmd *cobra.Command, both *runFlags) (cloud.Options, error) {
	o := cloud.Options{Agents: f.agents, Slots: both.options.Slots}
	if o.Slots < 0 || o.Slots > 10_000 {
		return o, usage("--slots %d is not allowed; it must be from 1 to 10000 with --aws", o.Slots)
	}
	var err error
	o.BudgetDollars, err = both.dollars(cmd)
	return o, err
}

// messages writes what an account tells to a person.
func messages(stderr io.Writer) cloud.Messages {
	return cloud.Messages{
		Say:  func(s string) { fmt.Fprintln(stderr, s) },
		Warn: func(s string) { fmt.Fprintln(stderr, "supermax: warning:", s) },
		Sent: sent(stderr, time.Now),
	}
}

// sent tells of uploads that take long, at most once in five seconds.
func sent(stderr io.Writer, now func() time.Time) func(what string, done, total int64) {
	last := now()
	return func(what string, done, total int64) {
		if t := now(); t.Sub(last) >= 5*time.Second && done < total {
			last = t
			fmt.Fprintf(stderr, "%s: %.0f of %.0f MB\n", what, float64(done)/1e6, float64(total)/1e6)
		}
	}
}

// runOnAWS brings a study to the account and follows its execution.
func runOnAWS(cmd *cobra.Command, c *config.Study, f placeFlags, a awsFlags, both *runFlags, stderr io.Writer) error {
	o, err := a.options(cmd, both)
	if err != nil {
		return err
	}
	ctx := cmd.Context()
	account, err := cloud.Open(ctx, f.stack)
	if err != nil {
		return err
	}
	e, err := account.Start(ctx, c, o, messages(stderr))
	if err != nil {
		return err
	}
	return a.attend(cmd, account, e, stderr)
}

// attend follows an execution, unless it has ended or the flags say otherwise.
func (f *awsFlags) attend(cmd *cobra.Command, account *cloud.Account, e *cloud.Execution, stderr io.Writer) error {
	switch {
	case !e.Running():
		return printResults(cmd.Context(), cmd.OutOrStdout(), account, e.Studies)
	case f.detach:
		fmt.Fprintf(cmd.OutOrStdout(), "%s\nfollow it with supermax watch %s --aws\n", e.ARN, e.Studies[0])
		return nil
	}
	return follow(cmd, account, e, stderr)
}

// following is the error of a command that stopped following what goes on without it.
type following struct {
	error
	study string
}

// Unwrap returns the cause.
func (f *following) Unwrap() error { return f.error }

// follow shows an execution's progress to its end and then its studies' results.
func follow(cmd *cobra.Command, account *cloud.Account, e *cloud.Execution, stderr io.Writer) error {
	ctx := cmd.Context()
	end, err := account.Follow(ctx, e, shows(stderr, len(e.Studies)))
	if err != nil {
		if ctx.Err() != nil {
			return &following{err, e.Studies[0]}
		}
		return err
	}
	if err := end.Err(); err != nil {
		return err
	}
	return printResults(ctx, cmd.OutOrStdout(), account, e.Studies)
}

// printResults prints what came of studies whose execution ended well.
func printResults(ctx context.Context, stdout io.Writer, account *cloud.Account, studies []string) error {
	for i, name := range studies {
		s, err := account.Study(name)
		if err != nil {
			return err
		}
		state, err := s.State(ctx)
		if err != nil {
			return err
		}
		if i > 0 {
			fmt.Fprintln(stdout)
		}
		reason := state.Stopped()
		switch _, done := state.Chosen(); {
		case done:
			fmt.Fprintf(stdout, "study %s is done\n\n", name)
			printChosen(stdout, state)
			fmt.Fprintf(stdout, "\nreport  supermax report %s --aws\n", name)
		case reason != "":
			fmt.Fprintf(stdout, "study %s is stopped (%s), with %.2f spent; go on with supermax resume %s --aws\n", name, reason, state.SpentDollars(), name)
		default:
			fmt.Fprintf(stdout, "study %s has not ended; go on with supermax resume %s --aws\n", name, name)
		}
	}
	return nil
}
