package cli

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/supermax-hpo/supermax/cmd/supermax/internal/cloud"
	"github.com/supermax-hpo/supermax/cmd/supermax/internal/home"
	"github.com/supermax-hpo/supermax/shared/config"
)

func uploadCommand(stderr io.Writer) *cobra.Command {
	var at placeFlags
	var agents []string
	cmd := &cobra.Command{
		Use:   "upload FILE --aws",
		Short: "Bring a study's corpus, backbones and definition to AWS and start nothing",
		Args:  exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !at.aws {
				return usage("%s needs --aws: on this machine nothing has to be uploaded", cmd.CommandPath())
			}
			study, err := config.Load(args[0])
			if err != nil {
				return err
			}
			account, err := cloud.Open(cmd.Context(), at.stack)
			if err != nil {
				return err
			}
			return account.Upload(cmd.Context(), study, agents, messages(stderr))
		},
	}
	at.addAWS(cmd)
	cmd.Flags().StringSliceVar(&agents, "agents", nil, "check the study for these agents: any of criteria, evidence, share, joint")
	return cmd
}

// homes is what a command does to one study, which lies in either home.
type homes struct {
	use, short string // use without the command's argument STUDY
	// flags refuses flags of the command's own that mean nothing in the home; may be nil.
	flags func(cmd *cobra.Command, aws bool) error
	here  func(cmd *cobra.Command, folder *home.Folder) error
	there func(cmd *cobra.Command, account *cloud.Account, study string) error
}

// control makes a command that acts on one study, wherever it lies; nothing is opened
// before the flags are checked.
func control(h homes) *cobra.Command {
	var at placeFlags
	name, rest, _ := strings.Cut(h.use, " ")
	cmd := &cobra.Command{
		Use:   strings.TrimSpace(name + " STUDY " + rest),
		Short: h.short,
		Args:  exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := at.check(cmd); err != nil {
				return err
			}
			if h.flags != nil {
				if err := h.flags(cmd, at.aws); err != nil {
					return err
				}
			}
			if !at.aws {
				folder, err := home.OpenFolder(at.runs, args[0])
				if err != nil {
					return err
				}
				return h.here(cmd, folder)
			}
			account, err := cloud.Open(cmd.Context(), at.stack)
			if err != nil {
				return err
			}
			return h.there(cmd, account, args[0])
		},
	}
	at.add(cmd)
	return cmd
}

func watchCommand(stderr io.Writer) *cobra.Command {
	return control(homes{
		use: "watch", short: "Show how far a study is until it ends; Ctrl-C ends the watching alone",
		here: func(cmd *cobra.Command, folder *home.Folder) error {
			return folder.Watch(cmd.Context(), shows(stderr, 1)())
		},
		there: func(cmd *cobra.Command, account *cloud.Account, study string) error {
			ctx := cmd.Context()
			e, err := account.Execution(ctx, study)
			if err != nil {
				return err
			}
			if e != nil {
				return follow(cmd, account, e, stderr)
			}
			fmt.Fprintf(stderr, "nothing of study %s is under way\n", study)
			return account.Show(ctx, study, shows(stderr, 1)())
		},
	})
}

func stopCommand() *cobra.Command {
	return control(homes{
		use: "stop", short: "Stop a study in good order: its trials are given back, and resume goes on",
		here: stopHere,
		there: func(cmd *cobra.Command, account *cloud.Account, study string) error {
			out := cmd.OutOrStdout()
			finished, err := account.Stop(cmd.Context(), study, func(s string) { fmt.Fprintln(out, s) })
			switch {
			case err != nil:
				return err
			case finished:
				fmt.Fprintf(out, "study %s is finished: there is nothing to stop\n", study)
			default:
				fmt.Fprintf(out, "supermax resume %s --aws goes on\n", study)
			}
			return nil
		},
	})
}

func stopHere(cmd *cobra.Command, folder *home.Folder) error {
	out := cmd.OutOrStdout()
	pid, err := folder.Stop(cmd.Context())
	// Also one that nobody runs may be finished, which says more than that.
	state, unread := folder.State(cmd.Context())
	if unread == nil {
		if _, finished := state.Chosen(); finished {
			fmt.Fprintf(out, "study %s is finished: there is nothing to stop\n", folder.Name())
			return nil
		}
	}
	if err != nil {
		return err
	}
	if unread != nil {
		return unread
	}
	fmt.Fprintf(out, "process %d has stopped; supermax resume %s goes on\n", pid, folder.Name())
	return nil
}

func resumeCommand(stderr io.Writer) *cobra.Command {
	var f runFlags
	var a awsFlags
	cmd := control(homes{
		use: "resume", short: "Go on with a study that stopped, from the definition that it was made of",
		flags: func(cmd *cobra.Command, aws bool) error {
			if aws {
				if err := onlyWithout(cmd, "--aws", "threads", "port", "device", "trainer"); err != nil {
					return err
				}
				_, err := a.options(cmd, &f)
				return err
			}
			if err := onlyWith(cmd, "--aws", "detach"); err != nil {
				return err
			}
			return f.check(cmd)
		},
		here: func(cmd *cobra.Command, folder *home.Folder) error {
			study, err := folder.Definition(cmd.Context())
			if err != nil {
				return err
			}
			f.options.Runs = filepath.Dir(folder.Dir)
			return runStudy(cmd.Context(), study, f.options, cmd.OutOrStdout(), stderr)
		},
		there: func(cmd *cobra.Command, account *cloud.Account, study string) error {
			o, err := a.options(cmd, &f)
			if err != nil {
				return err
			}
			e, err := account.Resume(cmd.Context(), study, o, messages(stderr))
			if err != nil {
				return err
			}
			return a.attend(cmd, account, e, stderr)
		},
	})
	f.addSlots(cmd)
	a.addFollowing(cmd)
	return cmd
}

func deleteCommand() *cobra.Command {
	var yes bool
	cmd := control(homes{
		use: "delete --yes", short: "Delete a study with all that it made",
		here: func(cmd *cobra.Command, folder *home.Folder) error {
			if !yes {
				return usage("this deletes %s with everything in it, models and metrics too: give --yes to do it", folder.Dir)
			}
			if err := folder.Remove(); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s is deleted\n", folder.Dir)
			return nil
		},
		there: func(cmd *cobra.Command, account *cloud.Account, study string) error {
			if !yes {
				h, err := account.Holds(cmd.Context(), study)
				if err != nil {
					return err
				}
				return usage("this deletes study %s from the stack %s in %s: %s, models and metrics too, and nothing brings them back: give --yes to do it", study, account.Stack.Name, account.Region, held(h))
			}
			h, err := account.Delete(cmd.Context(), study)
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "study %s is deleted: %s\n", study, held(h))
			return nil
		},
	})
	cmd.Flags().BoolVar(&yes, "yes", false, "really do it")
	return cmd
}

// held says what there is, or was.
func held(h cloud.Holding) string {
	text := fmt.Sprintf("%d objects", h.Objects)
	if h.State {
		text += " and its state"
	}
	return text
}

func purgeCommand() *cobra.Command {
	var at placeFlags
	var yes bool
	cmd := &cobra.Command{
		Use:   "purge --aws --yes",
		Short: "Delete everything that a stack on AWS holds, before cdk destroy",
		Args:  exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !at.aws {
				return usage("%s needs --aws: on this machine supermax delete STUDY deletes a study", cmd.CommandPath())
			}
			ctx := cmd.Context()
			account, err := cloud.Open(ctx, at.stack)
			if err != nil {
				return err
			}
			if !yes {
				h, err := account.HoldsAll(ctx)
				if err != nil {
					return err
				}
				return usage("this deletes everything that the stack %s in %s holds: %d objects in %s and %s, and all state in the table %s; nothing brings them back: give --yes to do it",
					at.stack, account.Region, h.Objects, account.Stack.Data, account.Stack.Results, account.Stack.Table)
			}
			h, items, err := account.Purge(ctx)
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "deleted: %d objects and %d items; cdk destroy removes the rest\n", h.Objects, items)
			return nil
		},
	}
	at.addAWS(cmd)
	cmd.Flags().BoolVar(&yes, "yes", false, "really do it")
	return cmd
}
