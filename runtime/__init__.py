"""What every process needs before it does anything: settings, logging, Sentry. Imports nothing of ours."""
