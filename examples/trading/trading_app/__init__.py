"""The example application: its models of the events (trading_app.models)."""
