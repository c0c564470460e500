package cli

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/supermax-hpo/supermax/cmd/supermax/internal/cloud"
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
	cmd.Flags().StringSliceVar(&agents, "agents", nil, "check the study for these agents: criteria, evidence or both")
	return cmd
}

func watchCommand(stderr io.Writer) *cobra.Command {
	var at placeFlags
	cmd := &cobra.Command{
		Use:   "watch STUDY",
		Short: "Show how far a study is until it ends; Ctrl-C ends the watching alone",
		Args:  exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := at.check(cmd); err != nil {
				return err
			}
			ctx := cmd.Context()
			if !at.aws {
				folder, err := at.folder(args[0])
				if err != nil {
					return err
				}
				return folder.Watch(ctx, shows(stderr, 1)())
			}
			account, err := cloud.Open(ctx, at.stack)
			if err != nil {
				return err
			}
			e, err := account.Execution(ctx, args[0])
			if err != nil {
				return err
			}
			if e != nil {
				return follow(cmd, account, e, stderr)
			}
			fmt.Fprintf(stderr, "nothing of study %s is under way\n", args[0])
			return account.Show(ctx, args[0], shows(stderr, 1)())
		},
	}
	at.add(cmd)
	return cmd
}

func stopCommand() *cobra.Command {
	var at placeFlags
	cmd := &cobra.Command{
		Use:   "stop STUDY",
		Short: "Stop a study in good order: its trials are given back, and resume goes on",
		Args:  exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := at.check(cmd); err != nil {
				return err
			}
			ctx, out := cmd.Context(), cmd.OutOrStdout()
			if !at.aws {
				folder, err := at.folder(args[0])
				if err != nil {
					return err
				}
				pid, err := folder.Stop(ctx)
				if err != nil {
					return err
				}
				fmt.Fprintf(out, "process %d has stopped; supermax resume %s goes on\n", pid, args[0])
				return nil
			}
			account, err := cloud.Open(ctx, at.stack)
			if err != nil {
				return err
			}
			if err := account.Stop(ctx, args[0], func(s string) { fmt.Fprintln(out, s) }); err != nil {
				return err
			}
			fmt.Fprintf(out, "supermax resume %s --aws goes on\n", args[0])
			return nil
		},
	}
	at.add(cmd)
	return cmd
}

func resumeCommand(stderr io.Writer) *cobra.Command {
	var f runFlags
	var at placeFlags
	var a awsFlags
	cmd := &cobra.Command{
		Use:   "resume STUDY",
		Short: "Go on with a study that stopped, from the definition that it was made of",
		Args:  exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := at.check(cmd); err != nil {
				return err
			}
			ctx := cmd.Context()
			if !at.aws {
				if err := onlyWith(cmd, "--aws", "budget", "detach"); err != nil {
					return err
				}
				if err := f.check(); err != nil {
					return err
				}
				folder, err := at.folder(args[0])
				if err != nil {
					return err
				}
				study, err := folder.Definition(ctx)
				if err != nil {
					return err
				}
				f.options.Runs = at.runs
				return runStudy(ctx, study, f.options, cmd.OutOrStdout(), stderr)
			}
			if err := onlyWithout(cmd, "--aws", "threads", "port", "device", "trainer"); err != nil {
				return err
			}
			o, err := a.options(cmd, f.options.Slots)
			if err != nil {
				return err
			}
			account, err := cloud.Open(ctx, at.stack)
			if err != nil {
				return err
			}
			e, err := account.Resume(ctx, args[0], o, messages(stderr))
			if err != nil {
				return err
			}
			return a.attend(cmd, account, e, stderr)
		},
	}
	f.addSlots(cmd)
	at.add(cmd)
	a.addFollowing(cmd)
	return cmd
}

func deleteCommand() *cobra.Command {
	var at placeFlags
	var yes bool
	cmd := &cobra.Command{
		Use:   "delete STUDY --yes",
		Short: "Delete a study with all that it made",
		Args:  exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := at.check(cmd); err != nil {
				return err
			}
			ctx, out := cmd.Context(), cmd.OutOrStdout()
			if !at.aws {
				folder, err := at.folder(args[0])
				if err != nil {
					return err
				}
				if !yes {
					return usage("this deletes %s with everything in it, models and metrics too: give --yes to do it", folder.Dir)
				}
				if err := folder.Remove(); err != nil {
					return err
				}
				fmt.Fprintf(out, "%s is deleted\n", folder.Dir)
				return nil
			}
			account, err := cloud.Open(ctx, at.stack)
			if err != nil {
				return err
			}
			if !yes {
				h, err := account.Holds(ctx, args[0])
				if err != nil {
					return err
				}
				return usage("this deletes study %s from the stack %s in %s: %s, models and metrics too, and nothing brings them back: give --yes to do it", args[0], at.stack, account.Region, held(h))
			}
			h, err := account.Delete(ctx, args[0])
			if err != nil {
				return err
			}
			fmt.Fprintf(out, "study %s is deleted: %s\n", args[0], held(h))
			return nil
		},
	}
	at.add(cmd)
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
