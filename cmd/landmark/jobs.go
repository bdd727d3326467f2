package main

import (
	"context"
	"errors"
	"time"

	"landmark/internal/jobs"
	"landmark/internal/notify"
)

// outletSettings are the ways notices go out by.
type outletSettings struct {
	SMTPURL          string   `name:"smtp-url" env:"SMTP_URL" placeholder:"URL" help:"Mail server for notices, like smtp://user@mail.example.gov.cn:587 (STARTTLS) or smtps://…:465; without it notices stay on the pages."`
	SMTPFrom         string   `name:"smtp-from" env:"SMTP_FROM" placeholder:"ADDR" help:"Sender of notices, like 进展看板 <kanban@example.gov.cn>."`
	SMTPPasswordFile string   `name:"smtp-password-file" env:"SMTP_PASSWORD_FILE" placeholder:"FILE" help:"Holds the mail account's password (or the password itself in SMTP_PASSWORD)."`
	WebhookAllow     []string `name:"webhook-allow" env:"WEBHOOK_ALLOW" placeholder:"HOST" help:"Hosts, host:port or networks inside the house that group robots may be at, also by http; else public https alone."`
}

// outlets are the ways notices go out by, as far as they are set.
func (c outletSettings) outlets() (*notify.Mailer, *notify.Robots, error) {
	robots, err := notify.NewRobots(c.WebhookAllow, time.Now)
	if err != nil {
		return nil, nil, usageError{err}
	}
	password, err := secretFrom("SMTP_PASSWORD", c.SMTPPasswordFile)
	if err != nil {
		return nil, nil, err
	}
	if c.SMTPURL == "" {
		if c.SMTPFrom != "" || password != "" {
			return nil, nil, usageError{errors.New("SMTP_FROM or SMTP_PASSWORD is set without SMTP_URL: set the mail server too, or neither")}
		}
		return nil, robots, nil
	}
	mailer, err := notify.NewMailer(notify.MailConfig{URL: c.SMTPURL, Password: password, From: c.SMTPFrom})
	if err != nil {
		return nil, nil, usageError{err}
	}
	return mailer, robots, nil
}

// jobsDrain is how long jobs under way may take when the program stops.
const jobsDrain = 10 * time.Second

// work starts the timed work. In a demo nothing leaves the house.
func (c serveCmd) work(ctx context.Context, p *program, d *database, now func() time.Time, base string) (stop func(), err error) {
	cfg := jobs.Config{Pool: d.pool, Store: d.store, Zone: p.zone, Log: p.log, Now: now, World: time.Now, BaseURL: base}
	if !c.Demo {
		if cfg.Mailer, cfg.Robots, err = c.outlets(); err != nil {
			return nil, err
		}
	}
	runner, err := jobs.Start(ctx, cfg)
	if err != nil {
		return nil, err
	}
	return func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), jobsDrain)
		defer cancel()
		if err := runner.Stop(ctx); err != nil {
			p.log.ErrorContext(ctx, "stop timed work", "error", err)
		}
	}, nil
}
