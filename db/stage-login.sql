-- The API's role on the stages of the lab, which nobody but this machine reaches: its password stands here. Make your own where
-- others do.
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'holdfast_api') THEN
        CREATE ROLE holdfast_api LOGIN PASSWORD 'holdfast';
    END IF;
END $$;
