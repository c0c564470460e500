package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/supermax-hpo/supermax/cmd/supermax/internal/cloud"
	"github.com/supermax-hpo/supermax/cmd/supermax/internal/home"
	"github.com/supermax-hpo/supermax/shared/results"
	"github.com/supermax-hpo/supermax/shared/study"
)

// looked is what the views need of a study's home.
type looked interface {
	State(context.Context) (*study.State, error)
	Rows(context.Context) ([]results.Row, error)
	Export(ctx context.Context, what, format string) ([]byte, error)
}

var (
	_ looked = (*home.Folder)(nil)
	_ looked = (*cloud.Study)(nil)
)

// A place is where a study lies, to be looked at.
type place struct {
	looked
	objects string                                // the URL of its results
	report  string                                // where its report is written
	under   func(context.Context) (string, error) // says in one line what is under way
}

// placeFlags say in which home a study lies: on this machine, or on AWS.
type placeFlags struct {
	runs  string
	aws   bool
	stack string
}

func (f *placeFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.runs, "runs", "runs", "the folder of the run folders")
	f.addAWS(cmd)
}

// addAWS adds the flags for a command that is about AWS alone.
func (f *placeFlags) addAWS(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.BoolVar(&f.aws, "aws", false, "the study is on AWS, in the account and region of the environment")
	flags.StringVar(&f.stack, "stack", cloud.DefaultStack, "with --aws: the name of the deployed stack")
}

// check refuses flags of the other home.
func (f *placeFlags) check(cmd *cobra.Command) error {
	if f.aws {
		return onlyWithout(cmd, "--aws", "runs")
	}
	return onlyWith(cmd, "--aws", "stack")
}

// onlyWith refuses flags that were given and mean something only with another.
func onlyWith(cmd *cobra.Command, other string, names ...string) error {
	for _, name := range names {
		if cmd.Flags().Changed(name) {
			return usage("--%s has a meaning only with %s", name, other)
		}
	}
	return nil
}

// onlyWithout refuses flags that were given and mean nothing with another.
func onlyWithout(cmd *cobra.Command, other string, names ...string) error {
	for _, name := range names {
		if cmd.Flags().Changed(name) {
			return usage("--%s has no meaning with %s", name, other)
		}
	}
	return nil
}

// open finds the study.
func (f *placeFlags) open(cmd *cobra.Command, name string) (place, error) {
	if err := f.check(cmd); err != nil {
		return place{}, err
	}
	ctx := cmd.Context()
	if f.aws {
		account, err := cloud.Open(ctx, f.stack)
		if err != nil {
			return place{}, err
		}
		s, err := account.Study(name)
		if err != nil {
			return place{}, err
		}
		return place{looked: s, objects: account.ResultsURL(), report: name + ".html", under: func(ctx context.Context) (string, error) {
			e, err := account.Execution(ctx, name)
			if err != nil || e == nil {
				return "", err
			}
			return "execution " + e.Name + " is under way", nil
		}}, nil
	}
	folder, err := home.OpenFolder(f.runs, name)
	if err != nil {
		return place{}, err
	}
	return place{looked: folder, objects: folder.URL(), report: folder.Report(), under: func(context.Context) (string, error) {
		pid, err := folder.Holder()
		if err != nil || pid == 0 {
			return "", err
		}
		return fmt.Sprintf("process %d runs it", pid), nil
	}}, nil
}
